import type { Configured, FormField, JsonObject, Parsed, Provider, RawRequest } from '../../types.ts';
import { providerBySchemes } from '../provider.ts';
import {
  CLOUD_EVENT_PLACES,
  cloudEvents,
  eventPayloads,
  joinParsed,
  parseObjectOrList,
} from '../receive/events.ts';
import { isList, jsonViewOf } from '../receive/json-view.ts';
import { receiveParts } from '../receive/settings.ts';
import { readOptions } from '../scheme/options.ts';
import { type Scheme, schemeOf, signaturePlace } from '../scheme/scheme.ts';
import { genericSchema, type ValidSettings } from '../scheme/settings.ts';
import { formPayload } from '../scheme/signed-content.ts';
import { authorBy, eventSources, readEvent } from './read.ts';
import { sampleHeaders, samplesFor } from './samples.ts';

/** What a provider by settings has beside them. */
interface Shape extends Partial<Pick<Provider, 'reply' | 'samples'>> {
  readonly name: string;
  readonly label: string;
  /** Settings over which the options of a webhook are laid. */
  readonly base: ValidSettings;
  /** Where the sender takes a webhook. */
  readonly setUp?: string;
  /** The event type, where no setting names its place. */
  readonly typeOf?: (payload: JsonObject) => string | null;
  /** See `Parsed`. */
  readonly mayRepeat?: true;
}

/** The provider that settings describe. */
export function providerBy(settings: ValidSettings, shape: Shape): Provider {
  const { name: provider, base, setUp, typeOf, mayRepeat, ...facts } = shape;
  const configure = (options: JsonObject): Configured => {
    const read = readOptions(genericSchema, options, { base });
    return read.ok ? { ok: true, provider: providerBy(read.settings, shape) } : read;
  };
  const scheme = schemeOf(settings);
  const { formField } = scheme;
  const isCloudEvent = settings.shape === 'cloudevents';
  const sources = eventSources(isCloudEvent ? { ...CLOUD_EVENT_PLACES, ...settings } : settings);
  const jsonOf = (request: RawRequest) => formPayload(request, formField) ?? request.body;

  function parse(payload: JsonObject, request: RawRequest, webhook: string | null): Parsed {
    const { headers } = request;
    const isOfMany = isList(jsonOf(request));
    const found = isCloudEvent
      ? cloudEvents(payload, isOfMany, headers)
      : eventPayloads(settings, payload, isOfMany);
    if (!found.ok) return found;
    const read = (each: JsonObject) =>
      readEvent(sources, each, { headers, webhook, provider, type: typeOf?.(each) ?? null });
    const parsed = joinParsed(found.payloads.map(read));
    return parsed.ok && mayRepeat !== undefined ? { ...parsed, mayRepeat } : parsed;
  }

  return providerBySchemes(
    {
      name: provider,
      ...receiveParts(settings),
      strangersWords: settings.strangersWords ?? true,
      samples: samplesFor(sources, scheme, isCloudEvent ? { specversion: '1.0' } : {}),
      ...facts,
      headers: (context) => sampleHeaders(sources, context),
      eventName: (headers) => {
        const [place] = sources.eventType?.places ?? [];
        return place?.in === 'header' ? (headers[place.name] ?? null) : null;
      },
      jsonView: jsonViewOf({ ...settings, formField }),
      decode: (request) => parseObjectOrList(jsonOf(request)),
      parse: (payload, { request, settings: { name = null } }) => parse(payload, request, name),
      authorOf: authorBy(sources),
      formFields: ({ url, secretCommand }) => [
        ...(setUp === undefined ? [] : [{ label: 'Where', value: setUp }]),
        { label: 'URL', value: url },
        ...(setUp === undefined ? [{ label: 'Content type', value: 'application/json' }] : []),
        ...proofFields(scheme, secretCommand),
      ],
    },
    [scheme],
    configure,
  );
}

const PUBLISHED = 'made by the sender: put it into the option publicKey, or where it is published into keys';

/** The fields of the sender's form that say how it proves its requests. */
function proofFields(scheme: Scheme, secretCommand: string): readonly FormField[] {
  const { kind, algorithm, encoding, contentText, prefix } = scheme;
  const place = signaturePlace(scheme);
  const label = scheme.signature === null ? `Header ${place}` : place;
  const behind = prefix === '' ? '' : `, behind ${prefix}`;
  const secret = { label: 'Secret', value: secretCommand };
  switch (kind) {
    case 'hmac':
      return [
        secret,
        { label, value: `HMAC-${algorithm.toUpperCase()} of ${contentText} in ${encoding}${behind}` },
      ];
    case 'hash':
      return [
        secret,
        { label, value: `${algorithm.toUpperCase()} of ${contentText} in ${encoding}${behind}` },
      ];
    case 'ed25519':
    case 'ecdsa':
    case 'rsa':
      return [
        { label, value: `${KEY_PAIRS[kind]} signature of ${contentText} in ${encoding}` },
        { label: 'Public key', value: PUBLISHED },
      ];
    case 'jwt':
      return [secret, { label, value: `JSON Web Token${behind}` }];
    case 'message-signature':
      return [
        secret,
        { label: 'Signature-Input', value: 'RFC 9421, with content-digest among what is signed' },
      ];
    case 'client-cert':
      return [{ label, value: `${prefix}<fingerprint>, set by the proxy that checks certificates` }];
    case 'token':
      return prefix === ''
        ? [{ label, value: secretCommand }]
        : [{ label, value: `${prefix}<secret>` }, secret];
    case 'basic':
      return [
        { label: 'User', value: scheme.user },
        { label: 'Password', value: secretCommand },
      ];
    default:
      return kind satisfies never;
  }
}

const KEY_PAIRS = { ed25519: 'Ed25519', ecdsa: 'ECDSA', rsa: 'RSA' };
