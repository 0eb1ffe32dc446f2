import { setTimeout as delay } from 'node:timers/promises';

/** Longer than a loaded machine needs, shorter than a test may take. */
const PATIENCE_MS = 45_000;
const POLL_MS = 15;

type Nothing = null | undefined | false;

/** Asks until there is an answer, and returns it. `what` names what was waited for in the failure. */
export async function eventually<T>(
  what: string,
  ask: () => T | Nothing | Promise<T | Nothing>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  for (const deadline = Date.now() + patienceMs; ; await delay(POLL_MS)) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs} ms in vain for ${what}`);
  }
}
