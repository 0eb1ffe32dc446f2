import { onTestFinished } from 'vitest';
import {
  openWebhookRegistry,
  type RegistryChange,
  type WebhookRegistry,
} from '../../../src/config/registry.ts';
import type { Place } from './support.ts';

export interface Watched extends WebhookRegistry {
  /** Everything that was reported so far. */
  readonly changes: readonly RegistryChange[];
}

/** The configuration of a place in force, until the test ends. */
export async function liveIn(place: Place): Promise<Watched> {
  const changes: RegistryChange[] = [];
  const configuration = await place.configuration();
  const live = await openWebhookRegistry({
    configuration,
    env: {},
    report: (change) => changes.push(change),
  });
  onTestFinished(live.close);
  return { ...live, changes };
}
