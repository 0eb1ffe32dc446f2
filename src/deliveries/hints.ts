import type { Clock } from '../lib/time.ts';
import type { RawRequest, Webhook } from '../types.ts';
import { activeSecrets } from './active-secrets.ts';

/** A hint costs up to some milliseconds, and whoever is refused may be anybody: one a second is what they get. */
const EVERY_MS = 1_000;

/** Looks for what refused requests are signed by instead. */
export interface Hints {
  /** In words for the operator; null: nothing was found, or hints come too often. */
  of(webhook: Webhook, request: RawRequest): string | null;
}

/**
 * Hints are found while the request is at hand, for nothing of its body is kept: `explain` could not find them later.
 * They stand in the refused row's reason, and never in an answer.
 */
export function createHints({ now }: Clock): Hints {
  let next = Number.NEGATIVE_INFINITY;
  return {
    of(webhook, request) {
      const moment = now();
      if (webhook.provider.hint === undefined || moment < next) return null;
      next = moment + EVERY_MS;
      return webhook.provider.hint(request, activeSecrets(webhook, moment), moment);
    },
  };
}
