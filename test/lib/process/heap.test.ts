import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const HEAP = fileURLToPath(new URL('../../../src/lib/process/heap.ts', import.meta.url));

/** Work whose values live for a while and are then garbage, as those of deliveries; prints the highest resident memory in MB. */
const WORK = `
  const kept = [];
  let sum = 0;
  for (let round = 0; round < 30; round += 1) {
    for (let job = 0; job < 500; job += 1) {
      kept.push(Array.from({ length: 600 }, (_, index) => ({ index, text: 'value ' + index + job })));
      if (kept.length > 200) sum += kept.shift().length;
    }
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  console.log(Math.round(process.resourceUsage().maxRSS / 1024));
`;

function highest(before: string): number {
  const script = `${before}\n${WORK}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return Number(stdout);
}

test('a bounded heap stays near what lives in it', () => {
  const free = highest('');
  const bounded = highest(`const { boundHeap } = await import(${JSON.stringify(HEAP)}); boundHeap(20);`);
  expect(bounded).toBeLessThan(free * 0.8);
});

test('the look at the heap keeps no process alive', () => {
  const script = `const { boundHeap } = await import(${JSON.stringify(HEAP)}); boundHeap();`;
  const { status, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 20_000,
  });
  expect({ status, signal }).toEqual({ status: 0, signal: null });
});
