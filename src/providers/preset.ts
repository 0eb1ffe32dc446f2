import { type JsonResult, parseJson } from '../lib/json.ts';
import type {
  Configured,
  Headers,
  JsonObject,
  Parsed,
  ParseSettings,
  Provider,
  RawRequest,
  SignContext,
  WebhookEvent,
} from '../types.ts';
import { bodyKey } from './kit/signature.ts';
import { hintFor } from './scheme/hint.ts';
import { valueAt } from './scheme/locator.ts';
import { readOptions } from './scheme/options.ts';
import { type Scheme, schemeOf, timestampText } from './scheme/scheme.ts';
import { presetSchema, type SignatureSettings } from './scheme/settings.ts';
import { newSecretFor, secretProblem, signBy } from './scheme/sign.ts';
import { formPayload } from './scheme/signed-content.ts';
import { verifyAny } from './scheme/verify.ts';

/** Senders' own limits are mostly below this, and GitHub's and GitLab's are this. */
const BODY_LIMIT = 25 * 1024 * 1024;

/** What a preset's `parse` is told beside the payload. */
export interface ReadContext {
  readonly request: RawRequest;
  readonly settings: ParseSettings;
}

/** A provider by settings: how it signs is said, not coded; what it says is a function. */
interface Preset
  extends Pick<Provider, 'name' | 'label' | 'webhook' | 'samples' | 'formFields'>,
    Partial<
      Pick<
        Provider,
        | 'bodyLimit'
        | 'defaultAssociations'
        | 'secretHeaders'
        | 'authorOf'
        | 'acknowledge'
        | 'answerUnsigned'
        | 'reply'
      >
    > {
  /** How it signs. A webhook's `options` may override each of them. */
  readonly settings: SignatureSettings;
  /** Further ways in which its requests may be signed: each replaces what differs. The first that fits is enough. */
  readonly alternatives?: readonly SignatureSettings[];
  /** Names in `options` that `parse` or `reply` reads itself; all others that are no settings are refused. */
  readonly otherOptions?: readonly string[];
  /** Content type of the requests that hookctl makes in its name; default `application/json`. */
  readonly contentType?: string;
  /** Further headers of those: the name of the event. */
  readonly headers?: (context: SignContext) => Headers;
  /** The sender's id of a delivery, where the setting `deliveryId` does not name all of its headers. */
  readonly deliveryId?: Provider['deliveryId'];
  /** Event type as far as the headers alone tell it. */
  readonly eventName?: Provider['eventName'];
  /** How the bytes become the payload; default: JSON, or the JSON in a form's field. */
  readonly decode?: (request: RawRequest) => JsonResult;
  /** Whether a stranger can have written the words of events that no person sent; default: what each event says. */
  readonly strangersWords?: boolean;
  /** What a verified request says. Never throws on bad content. `semanticKeys`: beside the replay key made here. */
  readonly parse: (payload: JsonObject, context: ReadContext) => Parsed;
}

/** The provider that a preset describes. Throws when its settings are wrong. */
export function preset(spec: Preset): Provider {
  const provider = build(spec, {});
  if (provider.ok) return provider.provider;
  throw new Error(
    `${spec.name}: ${provider.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)}`,
  );
}

/** The provider that a preset describes under these options of a webhook, or what is wrong with them. */
export function build(spec: Preset, options: JsonObject): Configured {
  const others = spec.otherOptions ?? [];
  const wanted = [{}, ...(spec.alternatives ?? [])].map((variant) => ({ ...spec.settings, ...variant }));
  const schemesUsed = wanted.map(({ scheme }) => scheme ?? 'hmac');
  const variants = wanted.map((base) =>
    readOptions(presetSchema, options, { base, others, schemes: schemesUsed }),
  );
  // One mistake is one, in however many ways the sender may sign.
  const issues = new Map(
    variants.flatMap((read) =>
      read.ok ? [] : read.issues.map((issue) => [JSON.stringify(issue), issue] as const),
    ),
  );
  if (issues.size > 0) return { ok: false, issues: [...issues.values()] };
  const schemes = variants.flatMap((read) => (read.ok ? [schemeOf(read.settings)] : []));
  const { strangersWords = spec.strangersWords } = options;
  const provider = providerWith(
    { ...spec, ...(typeof strangersWords === 'boolean' && { strangersWords }) },
    schemes,
  );
  return { ok: true, provider: { ...provider, configure: (given) => build(spec, given) } };
}

/** The provider that speaks by these schemes; it signs by the first. */
export function providerWith(spec: Preset, schemes: readonly Scheme[]): Provider {
  const [scheme] = schemes;
  if (scheme === undefined) throw new Error(`${spec.name} has no scheme`);
  const { deliveryId } = scheme;
  const isPlain = ({ kind }: Scheme) => kind === 'token' || kind === 'basic';
  return {
    name: spec.name,
    label: spec.label,
    bodyLimit: spec.bodyLimit ?? BODY_LIMIT,
    defaultAssociations: spec.defaultAssociations ?? [],
    webhook: spec.webhook,
    samples: spec.samples,
    secretHeaders: [
      ...(spec.secretHeaders ?? []),
      ...schemes.filter(isPlain).flatMap(({ headers }) => headers),
    ],

    newSecret: () => newSecretFor(scheme),
    secretProblem: (text) => secretProblem(schemes, text),
    verify: (request, secrets, now) => verifyAny(schemes, request, secrets, now),
    hint: (request, secrets, now) => hintFor(scheme, request, secrets, now),
    sign(body, context) {
      const headers = { 'content-type': spec.contentType ?? 'application/json', ...spec.headers?.(context) };
      return { body, headers: { ...headers, ...signBy(scheme, { headers, body }, context) } };
    },
    deliveryId:
      spec.deliveryId ??
      ((headers) => (deliveryId?.in === 'header' ? headers[deliveryId.name] || null : null)),
    eventName: spec.eventName ?? (() => null),

    parse(request, settings = { commandPrefix: '@agent', options: {} }) {
      const payload =
        spec.decode?.(request) ?? parseJson(formPayload(request, scheme.formField) ?? request.body);
      if (!payload.ok) return payload;
      const parsed = spec.parse(payload.value, { request, settings });
      if (!parsed.ok) return parsed;
      const id = deliveryId?.in === 'payload' ? valueAt(deliveryId, request.headers, payload.value) : null;
      const keys = [...(id === null ? [] : [`id:${id}`]), ...parsed.semanticKeys];
      const semanticKeys = [...keys, ...replayKeys(scheme, request, keys)];
      const events = parsed.events.map((each) => withWords(each, spec.strangersWords));
      return { ...parsed, events, semanticKeys, ...(isIdSigned(scheme) && { isOnce: true }) };
    },

    authorOf: spec.authorOf ?? (() => null),
    ...(spec.acknowledge !== undefined && { acknowledge: spec.acknowledge }),
    ...(spec.answerUnsigned !== undefined && { answerUnsigned: spec.answerUnsigned }),
    ...(spec.reply !== undefined && { reply: spec.reply }),
    formFields: spec.formFields,
  };
}

function withWords(event: WebhookEvent, strangersWords: boolean | undefined): WebhookEvent {
  const isByNoPerson = event.sender?.kind === 'system';
  return isByNoPerson && strangersWords !== undefined
    ? { ...event, hasStrangersWords: strangersWords }
    : event;
}

function isIdSigned({ content }: Scheme): boolean {
  return content.some(({ kind }) => kind === 'id');
}

/**
 * The key under which the same signed bytes are recognised. Where the delivery id is outside the signature, a captured
 * request could be sent again under a new one; where there is no key at all, nothing else would tell. The signed time
 * belongs to it: a sender that says the same every minute says something new each time. A token proves no bytes.
 */
function replayKeys(scheme: Scheme, request: RawRequest, keys: readonly string[]): readonly string[] {
  if (scheme.kind === 'token' || scheme.kind === 'basic') return [];
  const isToldApart = isIdSigned(scheme) || keys.some((key) => key.startsWith('key:'));
  if (isToldApart || (scheme.deliveryId?.in !== 'header' && keys.length > 0)) return [];
  const time = timestampText(scheme, request);
  return [time === undefined ? bodyKey(request.body) : `${bodyKey(request.body)}:${time}`];
}
