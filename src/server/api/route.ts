import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import type { Workspaces } from '../../agents/workspace/workspaces.ts';
import { ownerName } from '../../config/schema.ts';
import type { Engine } from '../../deliveries/engine.ts';
import {
  ConfigError,
  type Diagnostic,
  type ExitCode,
  HookctlError,
  notFound,
  usageError,
} from '../../errors.ts';
import { parseJson } from '../../lib/json.ts';
import type { RecoverOrder } from '../../recover/schedule.ts';
import type { SweepReport } from '../../recover/sweep.ts';
import type { SearchFilter } from '../../store/selection.ts';
import type { Actor, JsonObject, NewAuditEntry, Schedule, Task } from '../../types.ts';
import { actorOfToken, type Caller, type Owners } from '../access/caller.ts';
import type { Tokens } from '../access/tokens.ts';
import type { ConnectParts } from '../connect/parts.ts';
import { clientOf } from '../credentials.ts';

/** What the routes work with: in a server, or in a command that holds the data folder itself. */
export interface ApiParts extends Pick<Engine, 'context' | 'queue'> {
  readonly outbox: Pick<Engine['outbox'], 'wake'>;
  readonly dataFolder: string;
  /** What hooks at senders are made with. */
  readonly connect: ConnectParts;
  readonly workspaces: () => Promise<Workspaces>;
  /** Tokens of owners. */
  readonly tokens: () => Promise<Tokens>;
  /** Reads the logs of the connected senders. */
  readonly recover: (order: RecoverOrder) => Promise<readonly SweepReport[]>;
  readonly schedules: readonly Schedule[];
  /** Called when a schedule was paused or resumed. */
  readonly schedulesChanged: () => void;
  /** Called with each task that a request made or moved. */
  readonly taskChanged: (task: Task) => void;
}

/** What a request changed, as the audit names it. */
export type AuditedChange = Pick<NewAuditEntry, 'what' | 'target' | 'details'>;

/** The filter of lists. */
export const ownerField = { owner: ownerName.optional() };

/** Of `GET /status`. */
export const StatusQuery = z.strictObject(ownerField);

/** What requests to the API carry to their route. */
export interface ApiEnv {
  /** Who asks, where no socket says so: a command of this process, or a tool for agents. */
  readonly Bindings: { readonly actor?: Actor; readonly caller?: Caller };
  readonly Variables: {
    /** Set by every route that changes something; null when there is nothing to record. */
    change: AuditedChange | null | undefined;
    caller: Caller;
    owners: Owners;
  };
}

/** Who asks. */
export function actorOf(context: Context<ApiEnv>): Actor {
  const caller = context.get('caller');
  if (caller.kind === 'owner') return actorOfToken(caller.token);
  return context.env?.actor ?? clientOf(context);
}

/** The owner whose token a request has; undefined for the operator, whom everything is shown. */
export function ownerAsking(context: Context<ApiEnv>): string | undefined {
  const caller = context.get('caller');
  return caller.kind === 'owner' ? caller.token.owner : undefined;
}

/** What routes need of a request. */
interface Body {
  readonly req: { arrayBuffer(): Promise<ArrayBuffer> };
}

/** The JSON object of a body; an empty one means `{}`. Throws `usage`, which is answered 400. */
export async function readJson({ req }: Body): Promise<JsonObject> {
  const bytes = new Uint8Array(await req.arrayBuffer());
  if (bytes.length === 0) return {};
  const parsed = parseJson(bytes);
  if (parsed.ok) return parsed.value;
  throw usageError(`the body: ${parsed.reason}`);
}

/** A body of the schema. Throws `usage` that names the fields. */
export async function readBody<T>(schema: z.ZodType<T>, body: Body): Promise<T> {
  const parsed = schema.safeParse(await readJson(body));
  if (parsed.success) return parsed.data;
  throw usageError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; '),
  );
}

/** `?limit=`: 1 to 200, default 50. `?cursor=`: the `next_cursor` of the page before. */
export const pageFields = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).optional(),
};

const time = z.iso
  .datetime({ offset: true, error: 'expected a time in ISO 8601' })
  .transform((text) => Date.parse(text))
  .optional();
const words = z.string().min(1).max(1_000).optional();

/** What deliveries and tasks can be searched for. */
export const searchFields = {
  event: words,
  external_id: words,
  sender: words,
  text: words,
  since: time,
  until: time,
};

type SearchQuery = z.output<z.ZodObject<typeof searchFields>>;

/** The same as a filter of the store. */
export function searchFilter({ external_id: externalId, ...query }: SearchQuery): SearchFilter {
  return { ...query, externalId };
}

/** How every list of the API is answered. `next_cursor` is null on the last page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/**
 * One page out of rows in order, of which one more than `limit` was asked for: so it is known whether another page
 * follows. The cursor is the key of the last item, not a position: what comes or goes meanwhile shifts nothing.
 */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next_cursor: rows.length > limit && last !== undefined ? keyOf(last) : null };
}

/**
 * The query parameters as the schema has them; with a token of an owner, `owner` is that owner wherever there is such a filter.
 * Throws `usage` (400) on unknown and on wrong ones, `not_found` when that token names another owner.
 */
export function parseQuery<T>(schema: z.ZodType<T>, context: Context<ApiEnv>): T {
  const given = context.req.query();
  const owner = ownerAsking(context);
  const isOwned = owner !== undefined && schema instanceof z.ZodObject && 'owner' in schema.shape;
  if (isOwned && (given.owner ?? owner) !== owner) throw notFound(`there is no owner ${given.owner}`);
  const parsed = schema.safeParse(isOwned ? { ...given, owner } : given);
  if (parsed.success) return parsed.data;
  throw usageError(parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '));
}

/** What else an error answer may say. */
interface ProblemFacts {
  readonly fix?: string | null;
  /** Each mistake in what was sent, with its field. */
  readonly problems?: readonly Diagnostic[];
}

/** An error answer (RFC 9457): `code` is stable, `detail` says what happened, `fix` what to do. */
export function problem(
  context: Context,
  status: ContentfulStatusCode,
  code: string,
  detail: string,
  { fix, problems }: ProblemFacts = {},
): Response {
  const body = {
    type: 'about:blank',
    title: code.replaceAll('_', ' '),
    status,
    code,
    detail,
    ...(fix && { fix }),
    ...(problems && { problems }),
  };
  return context.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' });
}

/** Answers what a route throws. `onError` is called with what broke. */
export function answerError(
  onError: (error: unknown) => void,
): (error: unknown, context: Context) => Response {
  return (error, context) => {
    if (!(error instanceof HookctlError)) onError(error);
    return problemOf(context, error);
  };
}

/** The answer for something thrown: foreseen failures keep their words, the rest says as little as it must. */
function problemOf(context: Context, error: unknown): Response {
  if (!(error instanceof HookctlError))
    return problem(context, 500, 'internal', 'something broke; see the log of serve');
  const status = error.code === 'operator_only' ? 403 : STATUS[error.exitCode];
  return problem(context, status, error.code, error.message, {
    fix: error.fix,
    ...(error instanceof ConfigError && { problems: error.problems }),
  });
}

const STATUS: Readonly<Record<ExitCode, ContentfulStatusCode>> = { 0: 500, 1: 409, 2: 400, 3: 422, 4: 404 };
