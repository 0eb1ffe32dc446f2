import type { WebhookEvent } from './event.ts';
import type { HandshakeRule, JsonView, OwnAnswer } from './receive.ts';
import type { ReplyChannel } from './reply.ts';
import type { Headers, JsonObject, RawRequest, Secret, Verdict, WebhookSecret } from './request.ts';

/** What a verified request turned out to say. Unparseable is an expected failure, so it is a value. */
export type Parsed =
  | {
      readonly ok: true;
      readonly events: readonly WebhookEvent[];
      /**
       * Keys beside the sender's delivery id under which a second delivery of the same human act is recognised
       * (Jira's comment id).
       */
      readonly semanticKeys: readonly string[];
      /**
       * Makes the key of the request's bytes, where the same bytes are the same act whatever the sender's delivery id says. Called only
       * where no signature identifies them: it takes a digest of the body. Left out: the same bytes may be another act.
       */
      readonly bytesKey?: () => string;
      /** The signature covers an id of the delivery, so that one signature is one message. */
      readonly isOnce?: boolean;
      /** The same bytes may rightly come again, though not within seconds (a dispatch). */
      readonly mayRepeat?: true;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * What a webhook may change about how its requests are read. `commandPrefix` replaces a mention of the
 * app or a slash command, which are no plain text (Slack); `options.baseUrl` names the
 * own host of a provider whose payloads do not (Sentry).
 */
export interface ParseSettings {
  /** Name of the webhook; left out where none is addressed. */
  readonly name?: string;
  readonly commandPrefix: string;
  readonly options: JsonObject;
}

/** The HTTP answer to the sender. */
export interface Ack {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A request that hookctl makes as the provider would: for `trigger`, tests and samples. */
export interface OutgoingRequest {
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Query string, where the proof is there. */
  readonly query?: string;
}

/** A realistic request body for an event, with fresh ids each time. */
export interface Sample {
  /** Event type as `parse` will report it, e.g. `issue_comment.created`. */
  readonly type: string;
  /** `text` is what the person writes, where the event has text at all. */
  readonly build: (context: SampleContext) => JsonObject;
}

export interface SampleContext {
  readonly text: string | null;
  readonly now: Date;
  /** A number that differs on every call, for ids. */
  readonly nextNumber: () => number;
}

/** A label and a value of the form in which the provider's web page asks for a webhook. */
export interface FormField {
  readonly label: string;
  readonly value: string;
}

export interface FormContext {
  readonly url: string;
  /** The command line that prints the secret. As the whole value of a field it is replaced by a secret made just now. */
  readonly secretCommand: string;
  /** The command line that takes a secret which the sender made. */
  readonly enterCommand: string;
}

/** The provider's own webhook, served when the project does not replace it. Same fields as `defineWebhook`. */
export interface BuiltInWebhook {
  readonly name: string;
  readonly secretEnv: string;
  readonly commandPrefix?: string;
  readonly requirePrefix?: boolean;
  readonly targetAgent?: string;
  readonly defaultCommand?: string;
  readonly events?: readonly string[];
  readonly allow?: { readonly associations?: readonly string[] };
  readonly commands: readonly BuiltInCommand[];
}

interface BuiltInCommand {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly targetAgent?: string;
  /** Default `create_task`. */
  readonly action?: string;
  readonly template: string;
  readonly requiresApproval?: boolean;
}

/** Keys and indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** A mistake in a value, before it is known where the value was written. */
export interface Issue {
  /** From the value that was checked: for a provider, inside the webhook's `options`. */
  readonly path: Path;
  readonly message: string;
  readonly fix?: string;
  /** True: the key itself is wrong (an unknown field), so its position is the one to show. */
  readonly atKey?: boolean;
}

/** A provider as the options of a webhook shape it, or all that is wrong with them. */
export type Configured =
  | { readonly ok: true; readonly provider: Provider }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * One sender: how its requests are signed, what they say, how it wants to be answered. One file each; the checks
 * of `hookctl/contract` hold over every entry of `providers/index.ts`.
 */
export interface Provider {
  /** Lower case, as in `/webhooks/<name>` and `webhook add <name>`. */
  readonly name: string;
  /** As people write it: `GitHub`. */
  readonly label: string;
  /** Largest body it sends, in bytes; more is answered 413. */
  readonly bodyLimit: number;
  /** Associations that may command when the webhook says nothing; empty for senders without persons. */
  readonly defaultAssociations: readonly string[];
  /** Null when it is served only where a webhook names it. */
  readonly webhook: BuiltInWebhook | null;
  /** For `hookctl trigger`, `check` and the contract suite. Those of built-in providers are read from a file when asked for. */
  readonly samples: readonly Sample[];
  /** Header names (lower case) that carry plain secrets and are never stored, beside Authorization and Cookie. */
  readonly secretHeaders: readonly string[];

  /** The provider as these options of a webhook shape it, or what is wrong with them. Left out: it has no options. */
  configure?(options: JsonObject): Configured;
  /** A fresh secret in the sender's own form. Left out: 32 random bytes in hex. */
  newSecret?(): string;
  /** Why nothing can be verified with this secret; null when it has the right form. Left out: any text will do. */
  secretProblem?(secret: string): string | null;
  /** Pure, constant time over all secrets; never throws. Expired secrets are already left out. `now` is epoch ms. */
  verify(request: RawRequest, secrets: readonly WebhookSecret[], now: number): Verdict;
  /** Asked instead of `verify` where the proof takes a promise (a JWT). Waits for no network, never rejects. */
  verifyAsync?(request: RawRequest, secrets: readonly WebhookSecret[], now: number): Promise<Verdict>;
  /**
   * Takes up the sender's keys from the file in which they are kept, and fetches them ahead, in the background: it resolves before
   * those have come, and never rejects. Called when a server takes up the webhook; left out: there are none.
   */
  prepare?(file: string): Promise<void>;
  /** A verified request without the secrets that its body or query holds. Left out: only headers can hold some. */
  withoutSecrets?(request: RawRequest): RawRequest;
  /**
   * What a refused request seems to be signed by instead, for the operator alone: never told to the sender. Bounded in
   * time; names settings, never a value of the request. Null when nothing would fit. Left out: nothing is known.
   */
  hint?(request: RawRequest, secrets: readonly WebhookSecret[], now: number): string | null;
  /**
   * Signs a body as the provider would, headers included (event, delivery id, signature). Throws `HookctlError` where
   * only the sender can sign (a public key is all that hookctl has).
   */
  sign(body: Uint8Array, context: SignContext): OutgoingRequest;
  /** The sender's own delivery id, from unverified headers; null where there is none. */
  deliveryId(headers: Headers): string | null;
  /** Event type as far as the headers alone tell it, for the rows of refused requests. */
  eventName(headers: Headers): string | null;
  /**
   * Bytes to events. Called on verified requests only; never throws on bad content. `settings` are those of the
   * webhook that was addressed; left out, the defaults of a webhook.
   */
  parse(request: RawRequest, settings?: ParseSettings): Parsed;
  /**
   * The answer to a request that the provider does not sign and that says nothing (Slack's `ssl_check`); null for
   * every other. Asked before verification: what it answers goes no further, nothing is stored and nothing runs.
   */
  answerUnsigned?(request: RawRequest): Ack | null;
  /** An answer that the provider insists on (Slack's challenge); null for the usual 202. */
  acknowledge?(request: RawRequest, parsed: Parsed): Ack | null;
  /** The same as settings, for what was verified and parsed. Left out: the usual 202. */
  readonly answer?: OwnAnswer;
  /** What it may ask before it sends. Answered where the question is signed, or while a person awaits it. Left out: nothing. */
  readonly handshakes?: readonly HandshakeRule[];
  /** Methods of its deliveries. Left out: POST. */
  readonly methods?: readonly string[];
  /** The request as `parse` can read it, where its body is not JSON; null where it is. Left out: `parse` reads every body. */
  jsonView?(request: RawRequest): Promise<JsonView> | null;
  /** Who wrote the payload value at a path; null when the payload does not say. */
  authorOf(payload: JsonObject, path: readonly string[]): string | null;
  /** How it is answered; left out: it cannot be. */
  readonly reply?: ReplyChannel;
  /** The provider's web form, filled in. */
  formFields(context: FormContext): readonly FormField[];
}

export interface SignContext {
  /** Event type as `parse` reports it (`issue_comment.created`). */
  readonly type: string;
  readonly secret: Secret;
  readonly deliveryId: string;
  readonly now: Date;
  /** Where it is sent to, as the sender would know it: some sign that. Left out: unknown. */
  readonly url?: string;
  /** What was sent before with this body, so that its proof alone is made anew. Left out: it is a new request. */
  readonly kept?: Pick<RawRequest, 'headers' | 'query' | 'method'>;
}
