import type { Services } from '../../services.ts';
import { serverClient } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';
import { sayUnloaded } from '../kit/unloaded.ts';
import { viewer } from './address.ts';

/** Every webhook as the API gives it: by a running server where there is one, else by what is here. */
export async function printJsonList(app: Services): Promise<0> {
  const client = await serverClient(app);
  if (client !== null) {
    const [views, status] = await Promise.all([client.webhooks(), client.status()]);
    sayUnloaded(app, status.not_loaded);
    printJson(app.io, views);
    return 0;
  }
  const configuration = await app.configuration();
  sayUnloaded(app, configuration.unloaded);
  printJson(app.io, configuration.snapshot.webhooks.map(viewer(app, { configuration, served: null })));
  return 0;
}
