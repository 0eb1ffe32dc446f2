import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { tryFault } from '../opt-in/faults/fault.ts';
import { fsyncOrder } from '../opt-in/faults/fsync-order.ts';

/*
 * The short form of one kind of `npm run test:faults`; CI runs the short forms of all (`-- --short`). This one is here
 * because a sync that is taken out changes nothing else that a test could see.
 */

const hookctl = join(inject('packed'), 'lib/node_modules/hookctl/bin/hookctl.js');

test(`G1: ${fsyncOrder.claim}`, async (context) => {
  const lacking = fsyncOrder.lacks?.() ?? null;
  if (lacking !== null) return context.skip(lacking);
  const { failures, parts } = await tryFault(fsyncOrder, { scale: 'short', hookctl });
  expect(failures).toEqual([]);
  expect(parts).toBeGreaterThan(0);
});
