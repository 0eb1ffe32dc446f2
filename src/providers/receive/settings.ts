import { z } from 'zod';
import { requestPlace } from '../../lib/http/request-place.ts';
import type { HandshakeRule, Issue, OwnAnswer, Provider } from '../../types.ts';
import { parseLocator } from '../scheme/locator.ts';
import { HANDSHAKES } from './forms.ts';

/*
 * Settings of how requests are received, beside their signature: what is asked before, in which form the content comes,
 * what is answered. They belong to `generic` and to `defineProvider`.
 */

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'GET'] as const;
const BODIES = ['auto', 'json', 'form', 'xml', 'text', 'multipart'] as const;
/** A body that is not JSON, by how it is read. */
export type OtherBody = Exclude<(typeof BODIES)[number], 'auto' | 'json'> | 'empty';

const place = z
  .string()
  .refine(
    (text) => requestPlace(text) !== null || typeof parseLocator(text) !== 'string',
    'expected header:x-name, query:name or a path of the body',
  );
const success = z
  .union(
    [
      z.int(),
      z
        .string()
        .regex(/^\d{3}$/)
        .transform(Number),
    ],
    { error: 'expected a status of 200 to 299' },
  )
  .refine((value) => value >= 200 && value <= 299, 'expected a status of 200 to 299');
const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected the name of a header');
const headerValue = z.string().regex(/^[\t\x20-\x7e]*$/, 'expected text that a header may carry');
const headers = z.record(headerName, headerValue);

const rule = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a name of lower-case letters')
    .optional(),
  method: z.enum(['GET', 'HEAD', 'OPTIONS', 'POST']).optional(),
  when: z.record(place, z.string().nullable()).optional(),
  challenge: place.optional(),
  status: success.optional(),
  headers: headers.optional(),
  answer: z.union([z.string(), z.record(z.string(), z.json())]).optional(),
  isSecret: z.boolean().optional(),
});
const form = z.enum(
  Object.keys(HANDSHAKES),
  `expected a rule, or one of ${Object.keys(HANDSHAKES).join(', ')}`,
);

const words = z.string().transform((text) => text.split(',').map((each) => each.trim()));

/** The setting `handshake`, as `defineProvider` takes it as well. */
export const handshakeSchema = z.union([
  words.pipe(z.array(form)),
  rule.transform((one) => [one]),
  z.array(z.union([form, rule])).min(1),
]);

/** Settings of `generic`. `describe` is what `webhook add generic --help` shows. */
export const receiveFields = {
  handshake: handshakeSchema
    .describe(
      `What the sender asks before it sends: ${Object.keys(HANDSHAKES).join(', ')}, or a rule of your own. Answered while you await it (hookctl webhook await), or when it is signed.`,
    )
    .optional(),
  methods: z
    .union([words.pipe(z.array(z.enum(METHODS))), z.array(z.enum(METHODS)).min(1)], {
      error: `expected methods among ${METHODS.join(', ')}`,
    })
    .describe('Methods of deliveries, such as POST,PUT; default POST.')
    .optional(),
  body: z
    .enum(BODIES)
    .describe(
      'How bodies are read: auto (default: by their beginning and content type), json, form, xml, text, multipart.',
    )
    .optional(),
  events: z
    .enum(['each', 'one'])
    .describe('A list at the top: each (default) element is an event, or one event has the list as `items`.')
    .optional(),
  eventsAt: z
    .string()
    .min(1, 'expected a path')
    .describe('Path of a list inside the payload of which each element is an event: events.')
    .optional(),
  shape: z
    .enum(['cloudevents'])
    .describe('cloudevents: type, subject and id as CloudEvents have them (structured, binary or batch).')
    .optional(),
  answerStatus: success
    .describe('Status of the answer to an accepted delivery, 200 to 299; default 202.')
    .optional(),
  answerType: headerValue.describe('Content type of answerBody; default text/plain.').optional(),
  answerHeaders: headers.describe('Further headers of that answer.').optional(),
  answerBody: z
    .string()
    .max(20_000, 'expected at most 20,000 characters')
    .describe(
      'Body of that answer: a text (OK), or Handlebars over the payload: <Message>{{Body}}</Message>.',
    )
    .optional(),
};

const receiveSchema = z.object(receiveFields);
/** The settings, read. */
export type ReceiveSettings = z.output<typeof receiveSchema>;

/** Handshakes by name and by rule, each with its name. */
export function handshakesOf(given: readonly (string | z.output<typeof rule>)[]): readonly HandshakeRule[] {
  return given.map((each) => {
    if (typeof each !== 'string') return { name: 'handshake', ...each };
    return { ...HANDSHAKES[each], name: each };
  });
}

/** The parts of a provider that these settings make. */
export function receiveParts({
  handshake,
  methods,
  answerStatus,
  answerType,
  answerHeaders,
  answerBody,
}: ReceiveSettings): Partial<Pick<Provider, 'handshakes' | 'methods' | 'answer'>> {
  const isAnswered = [answerStatus, answerType, answerHeaders, answerBody].some((each) => each !== undefined);
  const answer: OwnAnswer = {
    status: answerStatus ?? 200,
    headers: {
      ...(answerBody !== undefined && { 'content-type': answerType ?? 'text/plain; charset=utf-8' }),
      ...lowerCased(answerHeaders ?? {}),
    },
    body: answerBody ?? '',
  };
  return {
    ...(handshake !== undefined && { handshakes: handshakesOf(handshake) }),
    ...(methods !== undefined && { methods }),
    ...(isAnswered && { answer }),
  };
}

function lowerCased(given: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Headers that hookctl writes itself, so that an answer of your own cannot break the message. */
const FIXED = ['content-length', 'transfer-encoding', 'connection', 'content-type', 'x-hookctl-delivery'];

/** What contradicts itself in settings of the right form. */
export function receiveIssues(settings: ReceiveSettings): readonly Issue[] {
  const { answerHeaders = {}, answerType, answerBody, events, eventsAt, shape, answerStatus } = settings;
  const fixed = Object.keys(answerHeaders).find((name) => FIXED.includes(name.toLowerCase()));
  const wrong = (name: string, message: string, fix: string): Issue => ({ path: [name], message, fix });
  return [
    ...(fixed === undefined
      ? []
      : [
          wrong(
            'answerHeaders',
            `${fixed} is not yours to set here`,
            'For the content type write answerType.',
          ),
        ]),
    ...(answerType !== undefined && answerBody === undefined
      ? [wrong('answerType', 'has no effect without a body', 'Add answerBody.')]
      : []),
    ...(answerStatus === 204 && answerBody !== undefined && answerBody !== ''
      ? [wrong('answerBody', 'an answer 204 has no body', 'Remove it, or write answerStatus: 200.')]
      : []),
    ...(shape !== undefined && (events !== undefined || eventsAt !== undefined)
      ? [wrong('shape', 'CloudEvents say themselves how many there are', 'Remove events and eventsAt.')]
      : []),
    ...(events === 'one' && eventsAt !== undefined
      ? [wrong('eventsAt', 'has no effect with events: one', 'Remove one of them.')]
      : []),
  ];
}
