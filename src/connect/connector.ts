import type { Account, CallAnswer, Headers, JsonObject, Sent, Webhook } from '../types.ts';
import type { ApiAnswer, ApiRequest, SenderApi } from './api.ts';

/** Whose events are sent. */
export interface Target {
  /** In the connector's words: `repository`, `organisation`. */
  readonly kind: string;
  /** As the sender writes it: `acme/api`. */
  readonly name: string;
}

/** A hook as the sender tells it. */
export interface RemoteHook {
  /** Text, because some pass 2^53. */
  readonly id: string;
  readonly url: string;
  /** In the sender's words. Null when the sender does not tell. */
  readonly events: readonly string[] | null;
  readonly isActive: boolean;
  /** Why the sender sends nothing, in words. Null when it sends, or a person switched the hook off. */
  readonly disabled: string | null;
  /** Null when the sender does not tell. */
  readonly hasSecret: boolean | null;
  /** All of it in the sender's words, where a change has to give again what it leaves as it is. */
  readonly settings?: JsonObject;
}

/** What a hook shall be. */
export interface HookSettings {
  /** With the marker of this installation. */
  readonly url: string;
  readonly events: readonly string[];
  /** Null where the sender makes the secret (`makesSecret`). */
  readonly secret: string | null;
  readonly isActive: boolean;
}

/** A hook that was made, and the secret that the sender made for it: it is told this once. */
export interface CreatedHook {
  readonly id: string;
  readonly secret: string | null;
  /** What a person has to do with it yet. */
  readonly note?: string;
}

/** What was typed about a target. */
interface TargetFlags {
  /** `--org`: the name is an organisation, group or workspace. */
  readonly isOrganisation: boolean;
  /** The name is that of an App of hookctl's own. Left out: another App's, or no App. */
  readonly isApp?: boolean;
}

/**
 * How hooks are made at one sender: descriptions of calls and the reading of their answers, never the sending. One file each in
 * `connectors/`; the suite in `test/contracts/connectors.test.ts` runs over every entry of `connect/connectors/index.ts`. Paths are
 * below the account's address. `recover` reads the sender's log by `log`.
 */
export interface Connector {
  /** As in `hookctl connect <name>`, and of the provider whose webhook receives. */
  readonly name: string;
  /** How targets are written: `owner/repository, or an organisation with --org`. */
  readonly targets: string;
  /** A target for the help: `acme/api`. */
  readonly example: string;
  /** Under which name its account is found. Left out: its own. */
  readonly accountName?: string;
  /** The sender makes the secret when the hook is made, and takes none. */
  readonly makesSecret?: boolean;
  /** The secret of a hook that exists can't be changed: another hook takes its place. */
  readonly keepsSecret?: boolean;
  /** What was taken over stays when the connection is removed: it is more than a hook. */
  readonly keepsAdopted?: boolean;
  /** The sender asks a question at a URL that it is given: it gets it after the secret is known here. */
  readonly isUrlAsked?: boolean;

  /** The connector for this account, where some of the sender's sites have another API. Left out, or answered with null, it is this one. */
  at?(account: Pick<Account, 'baseUrl'>): Promise<Connector | null>;
  /** Reads a target. Throws `usage`. */
  target(text: string, flags: TargetFlags): Target;
  /** The events that a webhook's commands use, in the sender's words, sorted. */
  eventsOf(webhook: Pick<Webhook, 'commands' | 'events' | 'requirePrefix'>): readonly string[];
  /** Headers that carry the token. Left out: those of replies. */
  authorize?(account: Account): Headers;
  /** Reads an answer in which the status does not say all. Left out: as for replies. Null when the status says all. */
  classify?(answer: CallAnswer): Sent | null;
  /** Which right is missing and on which page it is given, after a 401, 403 or 404, or a 200 that refuses; null when that is not why. */
  right(target: Target, answer: CallAnswer, account: Pick<Account, 'baseUrl'>): string | null;

  /** The first page of the target's hooks. Null where the sender lists none: `show` reads those that are known. */
  list(target: Target): ApiRequest | null;
  /** One hook by its id, where there is no list. */
  show?(target: Target, id: string): ApiRequest;
  /** Whether the answer to `show` says that there is no such hook. */
  isGone?(answer: CallAnswer): boolean;
  readList(answer: ApiAnswer, target: Target): readonly RemoteHook[];
  /** Makes one hook of several that the pages list. Left out: each is one. */
  join?(listed: readonly RemoteHook[]): readonly RemoteHook[];
  /** The request for the page that follows. Left out: there is one page. Null when this was the last. */
  next?(answer: ApiAnswer, request: ApiRequest): ApiRequest | null;
  /** Asked before one is made, where no list shows first that the token is good. */
  validate?(target: Target, hook: HookSettings): ApiRequest;
  create(target: Target, hook: HookSettings): ApiRequest;
  /** Throws when the answer names no hook. */
  readCreated(answer: ApiAnswer): CreatedHook;
  /** Sets everything. The sender keeps its secret when `secret` is null. */
  update(target: Target, id: string, hook: HookSettings, before?: RemoteHook | null): ApiRequest;
  /** The id that the hook has after `update`. Left out: it keeps its id. */
  readUpdated?(answer: ApiAnswer): string;
  /** Moves the URL, and leaves the secret as it is: `hook.secret` is only for a sender that forgets it otherwise. */
  repoint(target: Target, id: string, hook: HookSettings, before?: RemoteHook | null): ApiRequest;
  /** Stops and starts the sending. Left out, and null, where the sender has no such switch. */
  pause?(target: Target, id: string, hook: HookSettings): ApiRequest | null;
  /** Null when a person has to do it on the sender's page. */
  remove(target: Target, id: string): ApiRequest | null;
  /** Asks for a test request that runs no command of the webhook. Left out, or null when there is none. */
  ping?(target: Target, id: string, events: readonly string[]): ApiRequest | null;
  /** Whether a request that arrived came from this hook. Left out: its URL alone tells. */
  isFrom?(headers: Headers, id: string): boolean;
  /** What the sender keeps of its deliveries. Left out: it keeps nothing that can be read. */
  readonly log?: SenderLog;
  /** The account with which the log is read, and what is said of its rights. Left out: the one that makes hooks. */
  readonly logAccount?: Required<Pick<Connector, 'accountName' | 'right'>>;
}

/** One try of the sender to deliver. */
export interface LoggedAttempt {
  /** Of the entry. Text, because GitHub's pass 2^53. */
  readonly id: string;
  /** The sender's id of the delivery, the same in all of its attempts: `senderDeliveryId` of what arrived. */
  readonly deliveryId: string;
  /** Epoch milliseconds, by the sender's clock. Null when the log does not tell. */
  readonly at: number | null;
  /** It was answered 2xx. */
  readonly hasArrived: boolean;
  /** As hookctl names it (`issues.opened`); null when the log does not tell. */
  readonly eventType: string | null;
  /** What was sent, where the list tells it. Left out: `payload` does. */
  readonly request?: LoggedRequest | null;
  /** Where it was sent, where the sender sends it again only there. Left out: that counts for nothing. */
  readonly url?: string | null;
}

/** A delivery as the log keeps it: its bytes are written anew, so that no signature fits them. */
export interface LoggedRequest {
  readonly headers: Headers;
  readonly payload: JsonObject;
}

interface LogFacts {
  /** How far back the log goes, in milliseconds. */
  readonly windowMs: number;
  /** Whether a hook for these events is sent this. Left out: the log is of one hook alone. */
  takes?(attempt: LoggedAttempt, events: readonly string[]): boolean;
  /** Most deliveries that the sender is asked to send again at once. Left out: all. */
  readonly mostResent?: number;
  /** What it does not tell, in words: `edits and transitions`. Left out: it tells all. */
  readonly untold?: string;
  /** One attempt with what was sent. Left out: the log keeps no payloads. */
  payload?(target: Target, hookId: string, attemptId: string): ApiRequest;
  readPayload?(answer: ApiAnswer): LoggedRequest | null;
  /** Asks the sender to send it again, under the same id, to the hook's present URL. Left out: it does not. */
  redeliver?(target: Target, hookId: string, attemptId: string): ApiRequest;
}

/** What a log is read for. */
export interface ReadOrder {
  readonly ageMs: number;
  /** Of the hook, in the sender's words. */
  readonly events: readonly string[];
  /** Epoch milliseconds, for a sender that does not tell the time. */
  readonly now: () => number;
}

/** What changed, read by several lists one below the other. */
export interface WholeLog extends LogFacts {
  read(
    api: SenderApi,
    order: ReadOrder,
  ): AsyncGenerator<{ readonly answer: ApiAnswer; readonly attempts: readonly LoggedAttempt[] }, void, void>;
}

export type SenderLog = PagedLog | WholeLog;

/**
 * The sender's log of one hook. For `recover`: page through `attempts` from the newest until `at` is older than what is
 * known, group by `deliveryId`, and of those groups without `hasArrived` that the store does not have, `redeliver` while
 * the tunnel is up, else `payload`.
 */
export interface PagedLog extends LogFacts {
  /** The request itself bounds how far back it reads, so that all pages are read. Left out: they end where they are too old. */
  readonly isBounded?: boolean;
  /** The first page, the newest first. `ageMs`: how far back it is read. */
  attempts(target: Target, hookId: string, ageMs: number): ApiRequest;
  readAttempts(answer: ApiAnswer): readonly LoggedAttempt[];
  next(answer: ApiAnswer, request: ApiRequest): ApiRequest | null;
}
