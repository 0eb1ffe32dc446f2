import type { RunScope } from '../../mcp/scope.ts';
import type { Actor } from '../../types.ts';

/**
 * What a token of an owner lets do. `read`: look. `webhooks`: change webhooks. `tasks`: approve, complete, cancel, retry, replay.
 * `admin`: all of these, and tokens of the same owner. Each lets look, too.
 */
export const SCOPES = ['read', 'webhooks', 'tasks', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** A token that opens the API for what belongs to one owner. Its text is nowhere; the file has a digest of it. */
export interface OwnerToken {
  /** `tok-…` */
  readonly id: string;
  /** For people; null when it got none. */
  readonly name: string | null;
  readonly owner: string;
  readonly scopes: readonly Scope[];
  /** Epoch milliseconds, as below. */
  readonly createdAt: number;
  /** As the audit names them. */
  readonly createdBy: string;
  /** The token with which this one was made: it ends with that one. Null when the operator made it. */
  readonly madeWith: string | null;
  readonly expiresAt: number;
}

/** A request with the token of an owner. */
export interface OwnerCaller {
  readonly kind: 'owner';
  readonly token: OwnerToken;
  /** Aborted once the token is revoked; what goes on for its holder ends then. */
  readonly revoked: AbortSignal;
}

/** Whose token a request has. */
export type Caller =
  | { readonly kind: 'operator' }
  | OwnerCaller
  | { readonly kind: 'run'; readonly run: RunScope };

/** Who runs hookctl, with the token of the data folder. */
export const OPERATOR_CALLER: Caller = { kind: 'operator' };

/** Whether a token lets do what needs a scope. */
export function allows({ scopes }: Pick<OwnerToken, 'scopes'>, needed: Scope): boolean {
  return needed === 'read' || scopes.includes('admin') || scopes.includes(needed);
}

/** A holder of an owner's token as the audit names them: by the token, whatever the request says of itself. */
export function actorOfToken({ id, name, owner }: OwnerToken): Actor {
  return { kind: 'api', name: `${id}${name === null ? '' : ` ${name}`} (token of ${owner})` };
}

/** The kinds of things that belong to an owner, in the words of errors. */
export type OwnedKind =
  | 'delivery'
  | 'task'
  | 'flow'
  | 'conversation'
  | 'run'
  | 'item'
  | 'webhook'
  | 'connection'
  | 'token';

/** Knows whose things are. */
export interface Owners {
  /** False when the thing is another owner's, and when there is none. */
  has(owner: string, kind: OwnedKind, id: string): Promise<boolean>;
}

/** Longest time of a timer. */
const LONGEST_MS = 2 ** 31 - 1;

/** Aborted when the token is revoked or expires. */
export function endOf({ token, revoked }: OwnerCaller, now: number): AbortSignal {
  const left = Math.min(Math.max(0, token.expiresAt - now), LONGEST_MS);
  return AbortSignal.any([revoked, AbortSignal.timeout(left)]);
}
