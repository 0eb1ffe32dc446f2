import { defineProvider } from '../../../src/index.ts';
import { generic } from '../../../src/providers/generic/index.ts';
import { providerDraft } from '../../../src/types/defined-provider.ts';
import type { JsonObject, Provider, RawRequest } from '../../../src/types.ts';
import { MOVED, NO_TEXT, type TextCase, UNNAMED, WROTE } from './case.ts';

function genericWith(name: string, settings: JsonObject): Provider {
  const configured = generic.configure?.({ header: 'x-signature', ...settings });
  if (configured?.ok !== true) throw new Error(JSON.stringify(configured));
  return { ...configured.provider, name };
}

function own(definition: Parameters<typeof defineProvider>[0]): Provider {
  const draft = providerDraft(defineProvider(definition));
  if (draft?.result.ok !== true) throw new Error(JSON.stringify(draft));
  return draft.result.provider;
}

const FIELDS = {
  eventType: 'kind',
  sender: 'actor.id',
  senderName: 'actor.name',
  text: 'comment.body',
  textEvents: ['comment.created'],
};

interface Ticket {
  readonly kind: string;
  readonly actor: { readonly id: string; readonly name: string } | null;
  readonly comment: {
    readonly body: string;
    readonly by: { readonly id: string; readonly name: string } | null;
  };
  readonly origin?: 'edited' | 'moved';
}

/** What a project's code reads of a ticket system. */
function parse(payload: JsonObject) {
  const { kind, actor, comment, origin } = payload as unknown as Ticket;
  return {
    type: kind,
    sender: actor === null ? null : { ...actor, kind: 'person' as const, association: null, appId: null },
    text: comment.body,
    author: comment.by,
    ...(origin !== undefined && { textOrigin: origin }),
  };
}

const samples = [
  {
    type: 'comment.created',
    build: ({ text }: { readonly text: string | null }): JsonObject => ({
      kind: 'comment.created',
      actor: { id: '1', name: 'ada' },
      comment: { body: text, by: { id: '1', name: 'ada' } },
    }),
  },
];

/** Providers that have no texts before they are configured: `generic` with settings, and those of a project. */
export const configured: readonly Provider[] = [
  genericWith('generic with a sender', FIELDS),
  genericWith('generic with a sender and an author', { ...FIELDS, author: 'comment.by' }),
  own({ name: 'tickets', signature: { header: 'x-signature' }, parse, samples }),
  own({
    name: 'tickets-by-code',
    verify: ({ headers }: RawRequest) =>
      headers['x-proof'] === 'yes'
        ? { ok: true, secretIndex: 0 }
        : { ok: false, cause: 'signature_wrong', detail: 'no proof' },
    sign: (body: Uint8Array) => ({ body, headers: { 'x-proof': 'yes' } }),
    parse,
    samples,
  }),
];

const SAMPLE = 'comment.created';
const NO_SENDER = 'names no sender';

const shared: readonly TextCase[] = [
  { name: 'an event without a sender', sample: SAMPLE, change: { actor: null }, refused: NO_SENDER },
  { name: 'a text that is empty', sample: SAMPLE, change: { comment: { body: null } }, refused: NO_TEXT },
];
const ticketCases: readonly TextCase[] = [
  ...shared,
  {
    name: 'a stranger’s text',
    sample: SAMPLE,
    change: { comment: { by: { id: '9', name: 'eve' } } },
    refused: WROTE,
  },
  { name: 'a text of nobody', sample: SAMPLE, change: { comment: { by: null } }, refused: UNNAMED },
  { name: 'a text that was moved', sample: SAMPLE, change: { origin: 'moved' }, refused: MOVED },
];

export const configuredCases: Readonly<Record<string, readonly TextCase[]>> = {
  'generic with a sender': [
    ...shared,
    {
      name: 'an event that brings no text',
      sample: SAMPLE,
      change: { kind: 'comment.deleted' },
      refused: NO_TEXT,
    },
  ],
  'generic with a sender and an author': [
    ...shared,
    { name: 'a stranger’s text', sample: SAMPLE, change: { comment: { by: '9' } }, refused: WROTE },
    { name: 'a text of nobody', sample: SAMPLE, change: { comment: { by: null } }, refused: UNNAMED },
  ],
  tickets: ticketCases,
  'tickets-by-code': ticketCases,
};
