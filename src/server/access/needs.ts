import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { findTargetHandler } from 'hono/utils/handler';
import { notFound } from '../../errors.ts';
import { type ApiEnv, ownerAsking, problem } from '../api/route.ts';
import { allows, type OwnedKind, type Owners, type Scope } from './caller.ts';

/** What a route asks of the token of an owner. */
interface Need {
  readonly scope: Scope;
  /** What the path names, and by which parameter; null when it names nothing that is somebody's. */
  readonly of: { readonly kind: OwnedKind; readonly param: string } | null;
}

const stated = new WeakMap<object, Need>();

/**
 * States in the definition of a route that tokens of owners open it: with which scope, and which thing its path names. A thing of
 * another owner is answered as one that is not there. The operator may do everything.
 */
export function needs(scope: Scope, kind?: OwnedKind, param = 'id'): MiddlewareHandler<ApiEnv, string> {
  const need: Need = { scope, of: kind === undefined ? null : { kind, param } };
  const check: MiddlewareHandler<ApiEnv> = async (context, next) => {
    const caller = context.get('caller');
    if (caller.kind !== 'owner') return next();
    const { token } = caller;
    if (need.of !== null) {
      const { kind, param } = need.of;
      await requireOwn(context, kind, [context.req.param(param) ?? '']);
    }
    if (allows(token, scope)) return next();
    return problem(context, 403, 'scope', `${token.id} lacks the scope ${scope}`, {
      fix: `Ask for another token: hookctl token create --owner ${token.owner} --scope ${scope}`,
    });
  };
  stated.set(check, need);
  return check;
}

/** What a route states, given one of its handlers; null where that handler states nothing. */
function needOf(handler: object): Need | null {
  return stated.get(findTargetHandler(handler as Parameters<typeof findTargetHandler>[0])) ?? null;
}

/** Notes who asks, and refuses tokens of owners at every route that states nothing about them. */
export function admitted(owners: Owners): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    // Set by the guard of the socket; without a socket the process says who asks.
    const caller = context.get('caller') ?? context.env.caller;
    if (caller === undefined) throw new Error('no one said who asks the API');
    context.set('caller', caller);
    context.set('owners', owners);
    return caller.kind === 'owner' ? denyUnstated(context, next) : next();
  };
}

const denyUnstated: MiddlewareHandler<ApiEnv> = async (context, next) => {
  const routes = matchedRoutes(context).filter(({ method }) => method !== 'ALL');
  if (routes.length === 0 || routes.some(({ handler }) => needOf(handler) !== null)) return next();
  return operatorOnly(context);
};

/** Answers a token of an owner where only the operator's counts. */
export function operatorOnly(context: Parameters<typeof problem>[0]): Response {
  return problem(
    context,
    403,
    'operator_only',
    'this is about the whole machine, and takes the operator’s token alone',
    {
      fix: 'Ask the person who runs hookctl.',
    },
  );
}

/**
 * Throws `not_found` when a token of an owner names, in a path or a body, what is not there or another owner's: the same words for
 * both.
 */
export async function requireOwn(
  context: Context<ApiEnv>,
  kind: OwnedKind,
  ids: readonly string[],
): Promise<void> {
  const owner = ownerAsking(context);
  if (owner === undefined) return;
  for (const id of ids) {
    if (!(await context.get('owners').has(owner, kind, id))) throw notFound(`there is no ${kind} ${id}`);
  }
}

/**
 * The owner of what a request makes: as the body names it, and with a token of an owner always that owner. Throws `not_found` when
 * that token names another.
 */
export function ownerMade(context: Context<ApiEnv>, named: string | undefined): string | undefined {
  const owner = ownerAsking(context);
  if (owner !== undefined && (named ?? owner) !== owner) throw notFound(`there is no owner ${named}`);
  return owner ?? named;
}
