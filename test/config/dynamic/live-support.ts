import { onTestFinished } from 'vitest';
import { type Live, type LiveChange, openLive } from '../../../src/config/registry.ts';
import type { Place } from './support.ts';

export interface Watched extends Live {
  /** Everything that was reported so far. */
  readonly changes: readonly LiveChange[];
}

/** The configuration of a place in force, until the test ends. */
export async function liveIn(place: Place): Promise<Watched> {
  const changes: LiveChange[] = [];
  const configuration = await place.configuration();
  const live = await openLive({ configuration, env: {}, report: (change) => changes.push(change) });
  onTestFinished(live.close);
  return { ...live, changes };
}
