import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { RegistryChange } from '../../../src/config/registry.ts';

/** Follows a db on a machine that has no inotify watches left: folder, error code. Prints what was reported. */
const [folder = '', code = ''] = process.argv.slice(2);
fs.watch = () => {
  throw Object.assign(new Error(`${code}: no watches left, watch`), { code });
};
syncBuiltinESMExports();

const { openWebhookRegistry } = await import('../../../src/config/registry.ts');
const { dbText, placeIn, record } = await import('./support.ts');

const place = placeIn(folder);
const changes: RegistryChange[] = [];
const applied = Promise.withResolvers<void>();
const live = await openWebhookRegistry({
  configuration: await place.configuration(),
  env: {},
  report(change) {
    changes.push(change);
    if (change.kind === 'applied') applied.resolve();
  },
});
fs.writeFileSync(place.file, dbText([record(1)]));
await applied.promise;
process.stdout.write(JSON.stringify({ changes, problems: live.problems() }));
await live.close();
