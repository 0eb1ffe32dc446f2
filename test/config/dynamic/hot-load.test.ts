import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { addWebhook, setEnabled } from '../../../src/config/dynamic/edit.ts';
import type { RegistryChange } from '../../../src/config/registry.ts';
import { eventually } from '../../support/eventually.ts';
import { folderWith } from '../support.ts';
import { ingressFor } from './ingress-support.ts';
import { liveIn, type Watched } from './live-support.ts';
import { loadOn } from './load.ts';
import { SAVE_PATTERNS } from './save-patterns.ts';
import { dbText, placeIn, record } from './support.ts';

const ROUNDS = 2;

test('under a load of signed requests no change costs a request, and no state is half applied', async () => {
  const place = placeIn(folderWith());
  const lasting = record(1);
  writeFileSync(place.file, dbText([lasting]));
  const live = await liveIn(place);
  const url = await ingressFor(live);
  const load = loadOn(url + lasting.endpoint, 'secret-of-1', 2);
  const generations: string[] = [];

  for (let round = 1; round <= ROUNDS; round++) {
    for (const [pattern, save] of Object.entries(SAVE_PATTERNS)) {
      const generation = `${pattern} ${round}`;
      generations.push(generation);
      // Two webhooks that always change together: a half state would show one of them alone.
      await save(
        place.file,
        dbText([lasting, record(2, { name: `${generation} a` }), record(3, { name: `${generation} b` })]),
      );
      await eventually(generation, () => live.current().byName.has(`${generation} b`), 5_000);
      await place.dynamic.edit(addWebhook({ provider: 'github', name: `added after ${generation}` }));
      await place.dynamic.edit(setEnabled(`added after ${generation}`, false));
      await eventually(
        'the change',
        () => live.current().byName.get(`added after ${generation}`)?.enabled === false,
      );
    }
  }
  await load.stop();
  expect([...load.answers.keys()]).toEqual([202]);
  expect(load.answers.get(202)).toBeGreaterThan(50);
  expect(pairsOf(live)).toEqual(generations);
});

/** The generations that came into force; throws when one did by half. */
function pairsOf({ changes }: Watched): readonly string[] {
  return changes.flatMap((change: RegistryChange) => {
    if (change.kind !== 'applied') return [];
    const generations = [...change.added, ...change.changed]
      .filter((name) => / [ab]$/.test(name))
      .map((name) => name.slice(0, -2));
    if (generations.length === 0) return [];
    expect(generations).toEqual([generations[0], generations[0]]);
    return generations.slice(0, 1);
  });
}
