import { parseJson, withoutBom } from '../../lib/json.ts';
import type { Configured, FormField, JsonObject, Provider } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { providerBySchemes } from '../provider.ts';
import { receiveParts } from '../receive/settings.ts';
import { readOptions } from '../scheme/options.ts';
import { type Scheme, schemeOf } from '../scheme/scheme.ts';
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
  const sources = eventSources(settings);
  return providerBySchemes(
    {
      name: 'generic',
      label: PROVIDERS.generic.label,
      ...receiveParts(settings),
      strangersWords: settings.strangersWords ?? true,
      samples: samplesFor(sources, scheme),
      headers: (context) => sampleHeaders(sources, context),
      eventName: (headers) => {
        const [place] = sources.eventType?.places ?? [];
        return place?.in === 'header' ? (headers[place.name] ?? null) : null;
      },
      decode: (request) => parseJson(withoutBom(formPayload(request, scheme.formField) ?? request.body)),
      parse: (payload, { request, settings: { name = null } }) =>
        readEvent(sources, payload, { headers: request.headers, webhook: name }),
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

/** The fields of the sender's form that say how it proves its requests. */
function proofFields(scheme: Scheme, secretCommand: string): readonly FormField[] {
  const [header = ''] = scheme.headers;
  switch (scheme.kind) {
    case 'hmac': {
      const what = `HMAC-${scheme.algorithm.toUpperCase()} of ${scheme.contentText} in ${scheme.encoding}`;
      const prefix = scheme.prefix === '' ? '' : `, behind ${scheme.prefix}`;
      return [
        { label: 'Secret', value: secretCommand },
        { label: `Header ${header}`, value: what + prefix },
      ];
    }
    case 'ed25519':
      return [
        {
          label: `Header ${header}`,
          value: `Ed25519 signature of ${scheme.contentText} in ${scheme.encoding}`,
        },
        { label: 'Public key', value: 'made by the sender: put it into the option publicKey' },
      ];
    case 'token':
      if (scheme.prefix === '') return [{ label: `Header ${header}`, value: secretCommand }];
      return [
        { label: `Header ${header}`, value: `${scheme.prefix}<secret>` },
        { label: 'Secret', value: secretCommand },
      ];
    case 'basic':
      return [
        { label: 'User', value: scheme.user },
        { label: 'Password', value: secretCommand },
      ];
    default:
      return scheme.kind satisfies never;
  }
}
