import type { Decision, Parsed, Trust, Webhook } from '../types.ts';
import { isMove } from './aliases.ts';
import { match } from './match.ts';
import { decide } from './run-command.ts';

/** The end of a delivery of which nothing comes. */
interface Ignored {
  readonly reason: string;
  readonly decisions: readonly Decision[];
}

/**
 * Why nothing comes of a delivery, where that is certain before it is stored: its events bring no text, so that nobody
 * answers, approves or stops anything by them, move no subject, and no command fires. Most deliveries are like that, and one write
 * records all of them that there will ever be. Null: it has to be worked off. Pure.
 */
export function nothingToDo(
  webhook: Webhook,
  { events }: Pick<Extract<Parsed, { ok: true }>, 'events'>,
  trust: Trust,
): Ignored | null {
  if (events.some((event) => event.text !== null || isMove(event))) return null;
  const matchings = events.map((event) => match(webhook, event, trust));
  if (matchings.some(({ ignored }) => ignored === null)) return null;
  return {
    reason: whyNothing(matchings.map(({ ignored }) => ignored)),
    decisions: events.flatMap((event, index) =>
      (matchings[index]?.matches ?? []).map((each) => decide({ event, index }, each, { fired: false })),
    ),
  };
}

/** Why no event of a delivery came to anything, each cause once. */
export function whyNothing(reasons: readonly (string | null)[]): string {
  const known = new Set(reasons.filter((reason) => reason !== null));
  return [...known].join('; ') || 'it holds no event';
}
