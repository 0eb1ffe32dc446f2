import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { tryFault } from '../opt-in/faults/fault.ts';
import { faults } from '../opt-in/faults/index.ts';

/*
 * The short form of `npm run test:faults`: what needs no more than Node and a shell. Kills: killed.test.ts.
 */

const hookctl = join(inject('packed'), 'lib/node_modules/hookctl/bin/hookctl.js');

test.each(faults.filter(({ hasShort }) => hasShort))('$name: $claim', async (fault) => {
  const lacking = fault.lacks?.() ?? null;
  if (lacking !== null) return console.warn(`${fault.name} was not tried: ${lacking}`);
  const { failures, parts } = await tryFault(fault, { scale: 'short', hookctl });
  expect(failures).toEqual([]);
  expect(parts).toBeGreaterThan(0);
});
