import { afterAll } from 'vitest';

const closers: (() => Promise<unknown>)[] = [];

/**
 * Runs when the test file ends, last in first out: a server ends before the folder that it holds is removed. Works in
 * `beforeAll`, too, where a hook that is registered never runs.
 */
export function onFileEnd(close: () => Promise<unknown>): void {
  closers.push(close);
}

afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});
