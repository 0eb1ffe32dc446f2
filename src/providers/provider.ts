import type { z } from 'zod';
import { issuesOf } from '../lib/diagnostics.ts';
import { type JsonResult, parseJson } from '../lib/json.ts';
import type {
  Configured,
  FormContext,
  Headers,
  JsonObject,
  Parsed,
  ParseSettings,
  Provider,
  RawRequest,
  Sample,
  WebhookEvent,
} from '../types.ts';
import type { SignatureSettings } from './definition.ts';
import { type BuiltInProvider, PROVIDERS } from './facts.ts';
import { type Spelling, samplesOf } from './kit/samples.ts';
import { bodyKey } from './kit/signature.ts';
import { hintFor } from './scheme/hint.ts';
import { valueAt } from './scheme/locator.ts';
import { readOptions, unknownSetting } from './scheme/options.ts';
import { keepIn, prefetch } from './scheme/remote-keys.ts';
import { type Scheme, schemeOf, timestampText } from './scheme/scheme.ts';
import { schemeOptions } from './scheme/settings.ts';
import { newSecretFor, type RequestForm, secretProblem, signRequest, withoutToken } from './scheme/sign.ts';
import { formPayload } from './scheme/signed-content.ts';
import { verifyAny } from './scheme/verify.ts';

/** Senders' own limits are mostly below this, and GitHub's and GitLab's are this. */
const BODY_LIMIT = 25 * 1024 * 1024;
const NO_SETTINGS: ParseSettings = { commandPrefix: '@agent', options: {} };

/** What `parse` gets beside the payload. */
export interface ReadContext {
  readonly request: RawRequest;
  readonly settings: ParseSettings;
}

/** What every provider says about itself; what it leaves out has the default of most senders. */
interface CommonSpec
  extends Pick<Provider, 'name' | 'label' | 'formFields'>,
    Partial<
      Pick<
        Provider,
        | 'bodyLimit'
        | 'defaultAssociations'
        | 'webhook'
        | 'secretHeaders'
        | 'deliveryId'
        | 'eventName'
        | 'authorOf'
        | 'acknowledge'
        | 'answerUnsigned'
        | 'reply'
        | 'handshakes'
        | 'methods'
        | 'answer'
        | 'jsonView'
      >
    > {
  /** Default: `samples.json` of the provider's folder. */
  readonly samples?: readonly Sample[];
  /** How it writes down what a person types, in those samples. Default: as it is. */
  readonly spelling?: Spelling;
  /** How the bytes become the payload. Default: JSON, or the JSON in a form's field. */
  readonly decode?: (request: RawRequest) => JsonResult;
  /** What a verified request says. Never throws on bad content. `semanticKeys`: beside the replay key made here. */
  readonly parse: (payload: JsonObject, context: ReadContext) => Parsed;
}

/** A provider whose signature is described by settings, which a webhook's `options` may override. */
interface SchemeSpec extends CommonSpec, RequestForm {
  readonly signature: SignatureSettings;
  /** Further ways in which its requests may be signed: each replaces what differs. The first that fits is enough. */
  readonly alternatives?: readonly SignatureSettings[];
  /** Names in `options` that `parse` or `reply` reads itself; all others that are no settings are refused. */
  readonly otherOptions?: readonly string[];
  /** Whether a stranger can have written the words of events that no person sent; default: what each event says. */
  readonly strangersWords?: boolean;
}

/** A provider that verifies and signs by code. */
interface CodeSpec extends CommonSpec, Pick<Provider, 'verify' | 'sign'> {
  readonly signature?: never;
  /** What a webhook's `options` may hold; left out: it has no options. */
  readonly options?: z.ZodObject;
}

/** Without a label, which is a fact of its registry. */
type BuiltIn<S extends CommonSpec> = Omit<S, 'name' | 'label' | 'formFields'> & {
  readonly name: BuiltInProvider;
  /** The sender's web form, filled in: labels and values. */
  readonly form: (context: FormContext) => Readonly<Record<string, string>>;
};

/** A built-in provider. Its settings are its own, so that they are tested (`configure({})`) and not read at each start. */
export function createProvider(given: BuiltIn<SchemeSpec> | BuiltIn<CodeSpec>): Provider {
  const facts = {
    label: PROVIDERS[given.name].label,
    formFields: (context: FormContext) =>
      Object.entries(given.form(context)).map(([label, value]) => ({ label, value })),
  };
  return given.signature === undefined
    ? codeProvider({ ...given, ...facts })
    : schemeProvider({ ...given, ...facts }, signaturesOf(given).map(schemeOf));
}

function signaturesOf({
  signature,
  alternatives = [],
}: Pick<SchemeSpec, 'signature' | 'alternatives'>): readonly SignatureSettings[] {
  return [{}, ...alternatives].map((variant) => ({ ...signature, ...variant }));
}

function schemeProvider(spec: SchemeSpec, schemes: readonly Scheme[]): Provider {
  return providerBySchemes(spec, schemes, (options) => configureSchemes(spec, options));
}

/** The provider under these options of a webhook, or what is wrong with them. */
export function configureSchemes(spec: SchemeSpec, options: JsonObject): Configured {
  const others = spec.otherOptions ?? [];
  const wanted = signaturesOf(spec);
  const kinds = wanted.map(({ scheme }) => scheme ?? 'hmac');
  const variants = wanted.map((base) =>
    readOptions(schemeOptions, options, { base, others, schemes: kinds }),
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
  const shaped = { ...spec, ...(typeof strangersWords === 'boolean' && { strangersWords }) };
  return { ok: true, provider: schemeProvider(shaped, schemes) };
}

/** A provider by code of its own. */
export function codeProvider(spec: CodeSpec): Provider {
  const { options: schema } = spec;
  const provider: Provider = assemble(spec, {
    ...(schema !== undefined && { configure }),
    verify: spec.verify,
    sign: spec.sign,
    parse(request, settings = NO_SETTINGS) {
      const payload = decoded(spec, request);
      return payload.ok ? spec.parse(payload.value, { request, settings }) : payload;
    },
  });
  return provider;

  function configure(given: JsonObject): Configured {
    const result = schema?.safeParse(given);
    if (schema === undefined || result?.success !== false) return { ok: true, provider };
    const known = Object.keys(schema.shape);
    const issues = issuesOf(schema, result.error).map((issue) => unknownSetting(issue, known));
    return { ok: false, issues };
  }
}

/** The provider that speaks by these schemes; it signs by the first. */
export function providerBySchemes(
  spec: Omit<SchemeSpec, 'signature'>,
  schemes: readonly Scheme[],
  configure: NonNullable<Provider['configure']>,
): Provider {
  const [scheme] = schemes;
  if (scheme === undefined) throw new Error(`${spec.name} has no scheme`);
  const { deliveryId } = scheme;
  const plain = schemes.filter(({ kind }) => ['token', 'basic', 'jwt'].includes(kind));
  const plainHeaders = plain.flatMap(({ headers, signature }) =>
    signature === null ? headers : signature.in === 'header' ? signature.name : [],
  );
  const sources = schemes.flatMap(({ keys }) => keys ?? []);
  const common = {
    ...spec,
    secretHeaders: [...(spec.secretHeaders ?? []), ...plainHeaders],
    deliveryId:
      spec.deliveryId ??
      ((headers: Headers) => (deliveryId?.in === 'header' ? headers[deliveryId.name] || null : null)),
  };
  return assemble(common, {
    configure,
    newSecret: () => newSecretFor(scheme),
    secretProblem: (text) => secretProblem(schemes, text),
    verify: (request, secrets, now) => verifyAny(schemes, request, secrets, now),
    ...(scheme.kind === 'jwt' && {
      verifyAsync: async (request, secrets, now) =>
        (await import('./scheme/jwt.ts')).verifyJwt(scheme, request, secrets, now),
    }),
    ...(sources.length > 0 && {
      async prepare(file: string) {
        await keepIn(file);
        sources.forEach(prefetch);
      },
    }),
    ...(plain.some(({ signature }) => signature !== null) && {
      withoutSecrets: (request) => plain.reduce((clean, each) => withoutToken(each, clean), request),
    }),
    hint: (request, secrets, now) => hintFor(scheme, request, secrets, now),
    sign: (body, context) => signRequest(scheme, spec, body, context),
    parse(request, settings = NO_SETTINGS) {
      const payload = decoded(spec, request, scheme.formField);
      if (!payload.ok) return payload;
      const parsed = spec.parse(payload.value, { request, settings });
      if (!parsed.ok) return parsed;
      const id = deliveryId?.in === 'payload' ? valueAt(deliveryId, request.headers, payload.value) : null;
      const semanticKeys = [...(id === null ? [] : [`id:${id}`]), ...parsed.semanticKeys];
      const events = parsed.events.map((each) => withWords(each, spec.strangersWords));
      return {
        ...{ ...parsed, events, semanticKeys },
        ...(parsed.mayRepeat !== true &&
          areBytesOnce(scheme, semanticKeys) && { bytesKey: () => bytesKey(scheme, request) }),
        ...((isIdSigned(scheme) || signsFields(scheme)) && { isOnce: true }),
      };
    },
  });
}

/** `verify` and `sign` of a provider whose signature no option changes, and whose `parse` makes all of its keys. */
export function signedBy(signature: SignatureSettings, form: RequestForm): Pick<Provider, 'verify' | 'sign'> {
  const scheme = schemeOf(signature);
  return {
    verify: (request, secrets, now) => verifyAny([scheme], request, secrets, now),
    sign: (body, context) => signRequest(scheme, form, body, context),
  };
}

type Proof = Pick<
  Provider,
  | 'configure'
  | 'newSecret'
  | 'secretProblem'
  | 'verify'
  | 'verifyAsync'
  | 'prepare'
  | 'withoutSecrets'
  | 'hint'
  | 'sign'
  | 'parse'
>;

function assemble(spec: CommonSpec, proof: Proof): Provider {
  let samples = spec.samples;
  return {
    name: spec.name,
    label: spec.label,
    bodyLimit: spec.bodyLimit ?? BODY_LIMIT,
    defaultAssociations: spec.defaultAssociations ?? [],
    webhook: spec.webhook ?? null,
    secretHeaders: spec.secretHeaders ?? [],
    // Few commands need samples: the file is read when it is asked for.
    get samples() {
      samples ??= samplesOf(spec.name, spec.spelling);
      return samples;
    },
    ...proof,
    deliveryId: spec.deliveryId ?? (() => null),
    eventName: spec.eventName ?? (() => null),
    authorOf: spec.authorOf ?? (() => null),
    ...(spec.acknowledge !== undefined && { acknowledge: spec.acknowledge }),
    ...(spec.answerUnsigned !== undefined && { answerUnsigned: spec.answerUnsigned }),
    ...(spec.reply !== undefined && { reply: spec.reply }),
    ...(spec.handshakes !== undefined && { handshakes: spec.handshakes }),
    ...(spec.methods !== undefined && { methods: spec.methods }),
    ...(spec.answer !== undefined && { answer: spec.answer }),
    ...(spec.jsonView !== undefined && { jsonView: spec.jsonView }),
    formFields: spec.formFields,
  };
}

function decoded(
  { decode }: Pick<CommonSpec, 'decode'>,
  request: RawRequest,
  formField = 'payload',
): JsonResult {
  return decode?.(request) ?? parseJson(formPayload(request, formField) ?? request.body);
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

/** Whether some values of the body are signed, and not the body: then one signature is one message. */
function signsFields({ content }: Scheme): boolean {
  return content.some(({ kind }) => kind === 'field' || kind === 'fields');
}

/** Whether the proof covers the whole body. */
function provesBody({ kind, content, claims }: Scheme): boolean {
  if (['token', 'basic', 'client-cert'].includes(kind)) return false;
  if (kind === 'message-signature') return true;
  if (kind === 'jwt') return claims.body !== null;
  return content.some((piece) => ['body', 'payload', 'form', 'sha256', 'crc32'].includes(piece.kind));
}

/**
 * Whether the same signed bytes are the same delivery. Where the delivery id is outside the signature, a captured request
 * could be sent again under a new one; without any key nothing else would tell. A token proves no bytes.
 */
function areBytesOnce(scheme: Scheme, keys: readonly string[]): boolean {
  if (!provesBody(scheme)) return false;
  const isToldApart = isIdSigned(scheme) || keys.some((key) => key.startsWith('key:'));
  return !isToldApart && (scheme.deliveryId?.in === 'header' || keys.length === 0);
}

/** The signed time belongs to it: a sender that says the same every minute says something new each time. */
function bytesKey(scheme: Scheme, request: RawRequest): string {
  const time = timestampText(scheme, request);
  return time === undefined ? bodyKey(request.body) : `${bodyKey(request.body)}:${time}`;
}
