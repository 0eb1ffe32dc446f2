import { addWebhook } from '../../../src/config/dynamic/edit.ts';
import { placeIn } from './support.ts';

/** Adds webhooks to the db of a folder, as one of several processes that do so at once: folder, name, how many. */
const [folder = '', name = '', count = '1'] = process.argv.slice(2);
const { dynamic } = placeIn(folder);
for (let number = 1; number <= Number(count); number++) {
  await dynamic.edit(addWebhook({ provider: 'github', name: `${name} ${number}` }));
}
