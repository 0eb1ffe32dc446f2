import type { Configured, FormField, JsonObject, Parsed, Provider, RawRequest } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
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

/**
 * Any sender that has no provider of its own: the `options` of a webhook say how it signs (`scheme/settings.ts`) and
 * where its requests hold what. Without options it is signed like GitHub, and says no more than that it came.
 */
export const generic: Provider = providerBy({});

function configure(options: JsonObject): Configured {
  const read = readOptions(genericSchema, options, {});
  return read.ok ? { ok: true, provider: providerBy(read.settings) } : read;
}

function providerBy(settings: ValidSettings): Provider {
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
    return found.ok
      ? joinParsed(found.payloads.map((each) => readEvent(sources, each, { headers, webhook })))
      : found;
  }

  return providerBySchemes(
    {
      name: 'generic',
      label: PROVIDERS.generic.label,
      ...receiveParts(settings),
      strangersWords: settings.strangersWords ?? true,
      samples: samplesFor(sources, scheme, isCloudEvent ? { specversion: '1.0' } : {}),
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
        { label: 'URL', value: url },
        { label: 'Content type', value: 'application/json' },
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
