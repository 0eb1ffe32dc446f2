import { setTimeout as pause } from 'node:timers/promises';

/** Steps of a script that is no test of vitest's, counted for its last line. */
export const counts = { passed: 0, failed: 0, skipped: 0 };

/** Runs a step, and goes on after one that failed. */
export async function step(name: string, work: () => unknown): Promise<void> {
  try {
    await work();
    counts.passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    counts.failed += 1;
    console.log(`FAIL  ${name}: ${error instanceof Error ? error.message : error}`);
  }
}

export function must(isTrue: boolean, text: string): void {
  if (!isTrue) throw new Error(text);
}

const PATIENCE_MS = 90_000;

/** Looks again until there is something. */
export async function until<T>(what: string, look: () => T | false | Promise<T | false>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await pause(100)) {
    const seen = await look();
    if (seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`${what} did not come`);
  }
}
