import { randomInt } from 'node:crypto';
import { onTestFailed } from 'vitest';

/** Random numbers of a test that can be had again: HOOKCTL_TEST_SEED fixes them, a failing test prints its seed. */
export interface Seeded {
  readonly seed: number;
  /** From 0 up to `most`, whole. */
  below(most: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
}

export function seededForTest(): Seeded {
  const given = Number.parseInt(process.env.HOOKCTL_TEST_SEED ?? '', 10);
  const seed = Number.isNaN(given) ? randomInt(2 ** 31) : given;
  onTestFailed(() => console.error(`HOOKCTL_TEST_SEED=${seed} runs it again with the same numbers`));
  return { seed, ...mulberry32(seed) };
}

/** The generator of Tommy Ettinger's mulberry32: 32 bits of state, enough for tests. */
function mulberry32(seed: number): Omit<Seeded, 'seed'> {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (most: number) => Math.floor(next() * most);
  return { below, pick: (from) => from[below(from.length)] ?? from[0] };
}
