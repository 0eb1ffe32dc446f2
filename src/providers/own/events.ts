import { issuesOf } from '../../lib/diagnostics.ts';
import type { JsonObject, WebhookEvent } from '../../types.ts';
import { authoredBy, event } from '../generic/event.ts';
import type { EventDraft, ParseResult } from './definition.ts';
import { eventSchema } from './schema.ts';

type Read =
  | { readonly ok: true; readonly events: readonly WebhookEvent[] }
  | { readonly ok: false; readonly reason: string };

/**
 * What a project's `parse` returned, checked: it is code that nobody compiled, and what it says of a stranger's payload
 * goes into the store. External ids are qualified by the provider's name.
 */
export function readEvents(name: string, said: ParseResult, payload: JsonObject): Read {
  if (isUnparsed(said)) return { ok: false, reason: String(said.unparsed) };
  const drafts: readonly unknown[] = Array.isArray(said) ? said : [said];
  const events: WebhookEvent[] = [];
  for (const draft of drafts) {
    const result = eventSchema.safeParse(draft);
    if (!result.success) {
      const [issue] = issuesOf(eventSchema, result.error);
      const where = issue === undefined || issue.path.length === 0 ? '' : `, ${issue.path.join('.')}`;
      return {
        ok: false,
        reason: `parse of ${name} returns no event${where}: ${issue?.message ?? 'not one'}`,
      };
    }
    events.push(complete(name, draft as EventDraft, payload));
  }
  return { ok: true, events };
}

function complete(name: string, draft: EventDraft, payload: JsonObject): WebhookEvent {
  const { type, externalId = null, sender = null, text = null } = draft;
  const mark = `${name}:`;
  return event(draft.payload ?? payload, {
    type,
    externalId: externalId === null || externalId.startsWith(mark) ? externalId : mark + externalId,
    sender,
    text,
    author: text === null ? null : draft.author === undefined ? authoredBy(sender) : draft.author,
    textOrigin: draft.textOrigin ?? 'created',
    ...(draft.textFormat === undefined ? {} : { textFormat: draft.textFormat }),
    ...(typeof draft.textId === 'string' && { textId: draft.textId }),
    ...(typeof draft.writtenAt === 'number' && { writtenAt: draft.writtenAt }),
    ...(sender?.kind === 'system' && { hasStrangersWords: draft.hasStrangersWords ?? true }),
    title: draft.title ?? null,
    url: draft.url ?? null,
  });
}

function isUnparsed(said: ParseResult): said is { readonly unparsed: string } {
  return typeof said === 'object' && said !== null && 'unparsed' in said;
}
