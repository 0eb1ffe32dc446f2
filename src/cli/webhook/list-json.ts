import type { App } from '../../app.ts';
import { served } from '../operate.ts';
import { printJson } from '../print.ts';
import { viewer } from './address.ts';

/** Every webhook as the API gives it. */
export async function printJsonList(app: App): Promise<0> {
  const configuration = await app.configuration();
  const view = viewer(app, { configuration, served: await served(app) });
  printJson(app.io, configuration.snapshot.webhooks.map(view));
  return 0;
}
