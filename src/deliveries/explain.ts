import { REDACTED } from '../lib/redact/redact.ts';
import { withoutShapes } from '../lib/redact/secret-shapes.ts';
import type { RawRequest, Trust, Webhook } from '../types.ts';
import { type Match, type Matching, match } from './match.ts';
import { readRequest } from './rules/read-request.ts';

/** Which commands of a webhook fire for a request today, and why. Nothing is written, nothing runs. */
export interface Explanation {
  /** Why no command was asked at all (disabled webhook, unparseable bytes); null when they were. */
  readonly obstacle: string | null;
  readonly events: readonly (Matching & { readonly type: string; readonly externalId: string | null })[];
}

/** Explains a request; `trust` is why it is believed. */
export async function explain(
  webhook: Webhook,
  request: RawRequest,
  trust: Trust = 'operator',
): Promise<Explanation> {
  if (!webhook.enabled) return { obstacle: `the webhook ${webhook.name} is disabled`, events: [] };
  const parsed = await readRequest(webhook, request);
  if (!parsed.ok) return { obstacle: clean(parsed.reason), events: [] };
  const position = ({ command }: Match) => webhook.commands.indexOf(command);
  const events = parsed.events.map((event) => {
    const { matches, ignored } = match(webhook, event, trust, request);
    return {
      // In the order in which the webhook lists its commands: the two are read side by side.
      matches: matches
        .toSorted((left, right) => position(left) - position(right))
        .map((each) => ({ ...each, reason: clean(each.reason) })),
      ignored: clean(ignored),
      type: event.type,
      externalId: clean(event.externalId),
    };
  });
  return { obstacle: null, events };
}

/** Reasons quote the payload, which was not stored and so not redacted. */
function clean<Text extends string | null>(text: Text): Text | string {
  return text === null ? text : withoutShapes(text, REDACTED);
}
