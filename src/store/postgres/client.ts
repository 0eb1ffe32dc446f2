import type { Client, ClientConfig, CustomTypesConfig } from 'pg';
import { type FailureFacts, failure, HookctlError, messageOf } from '../../errors.ts';
import { readText } from './dialect.ts';

/** Where the store is: a database, and in it a schema. */
export interface Address {
  /** As `pg` takes it: TLS and all else as it says. Holds a password. */
  readonly url: string;
  /** Default `hookctl`; `?schema=…` in the URL. */
  readonly schema: string;
  /** How messages call it: without user and password. */
  readonly shown: string;
}

/** Throws `store_address` for what is no URL of PostgreSQL. */
export function addressOf(given: string): Address {
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol))
    throw unusable('store_address', 'the URL of the database is none of PostgreSQL', {
      fix: 'Write it as postgres://user@host:5432/database.',
    });
  const schema = url.searchParams.get('schema') ?? 'hookctl';
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema))
    throw unusable(
      'store_address',
      `\`schema=${schema}\` in the URL of the database is no name of a schema`,
      {
        fix: 'Use small letters, digits and _.',
      },
    );
  url.searchParams.delete('schema');
  const host = url.hostname || (url.searchParams.get('host') ?? 'localhost');
  const shown = `${host}${url.port === '' ? '' : `:${url.port}`}${url.pathname}`;
  return { url: url.href, schema, shown: schema === 'hookctl' ? shown : `${shown} (${schema})` };
}

/** Identifiers of PostgreSQL's types (`pg_type.dat`). */
const BOOL = 16;
const INT8 = 20;
const INT2 = 21;
const INT4 = 23;
const TEXT = 25;
const FLOAT4 = 700;
const FLOAT8 = 701;
const NUMERIC = 1700;
const BYTEA = 17;

/** Values as SQLite gives them: numbers, texts, 0 and 1. */
function parserOf(type: number): (value: string) => unknown {
  switch (type) {
    case BOOL:
      return (value) => (value === 't' ? 1 : 0);
    case INT8:
    case INT2:
    case INT4:
    case FLOAT4:
    case FLOAT8:
    case NUMERIC:
      return Number;
    case TEXT:
      return readText;
    case BYTEA:
      return (value) => Buffer.from(value.slice(2), 'hex');
    default:
      return (value) => value;
  }
}

const TYPES = { getTypeParser: parserOf } as CustomTypesConfig;

/** How long a connection is waited for, in ms. */
const CONNECT_MS = 3_000;

/** What a connection may take. */
export interface ClientOptions {
  /** The server ends a statement after so many ms. */
  readonly statementMs: number;
  /** And a transaction in which nothing is asked. */
  readonly idleMs?: number;
}

/** The oldest server. */
const OLDEST = 140_000;

/**
 * A connection with the schema's names, whose statements are on disk when they are answered. Throws `store_away` while the database
 * can't be reached; `store_refused`, `store_read_only` or `store_too_old` when it has to be changed first.
 */
export async function connect(
  address: Address,
  { statementMs, idleMs = statementMs }: ClientOptions,
): Promise<Client> {
  // Loaded by those alone whose store it is.
  const { default: pg } = await import('pg');
  const options: ClientConfig = {
    connectionString: address.url,
    application_name: 'hookctl',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    // The server's own limit comes first; this one is for a server that says nothing any more.
    query_timeout: statementMs + CONNECT_MS,
    types: TYPES,
  };
  const client = new pg.Client(options);
  // Without it a connection that breaks while nothing is asked would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    // Not as options of the connection: a pooler refuses those.
    await client.query(
      `set search_path to "${address.schema}"; set statement_timeout = ${statementMs};
       set idle_in_transaction_session_timeout = ${idleMs}; set timezone = 'UTC';
       set synchronous_commit = on; set plan_cache_mode = force_custom_plan; set client_min_messages = warning`,
    );
    const { rows } = await client.query(
      `select current_setting('server_version_num')::int as version, current_setting('server_version') as name,
         current_setting('transaction_read_only') = 'on' as "readOnly"`,
    );
    const [server] = rows;
    if (server.version < OLDEST)
      throw unusable('store_too_old', `${address.shown} is PostgreSQL ${server.name}`, {
        fix: 'Upgrade it to PostgreSQL 14 or later.',
      });
    if (server.readOnly === 1)
      throw unusable('store_read_only', `${address.shown} is a read-only replica`, {
        fix: 'Write the address of the primary server into the URL.',
      });
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw explained(error, address);
  }
}

/** Something that has to be set right first (exit 3). */
function unusable(code: string, message: string, facts: FailureFacts): HookctlError {
  return new HookctlError(code, 3, message, facts);
}

/** What PostgreSQL says in `code`, by what it means for who reads it. */
const REFUSALS: Readonly<Record<string, string>> = {
  '28P01': 'Correct user and password in the URL of the database.',
  '28000':
    'See pg_hba.conf: this user may not connect so from here. TLS is asked for by `?sslmode=require` in the URL.',
  '3D000': 'Make the database first: createdb <name>.',
  '42501': 'Grant it: grant create, connect on database <name> to <user>.',
};

/** Codes of a server that comes, goes, or has no connection left. */
const AWAY = /^(?:08...|57P0[123]|53300|53400)$/;
const UNREACHED =
  /^(?:ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|ENOENT|EHOSTDOWN)$/;
const CUT =
  /Connection terminated|timeout expired|timeout exceeded|Client has encountered a connection error|not queryable|Query read timeout/;

/** An error of `pg` with what to do about it; any other as it is. */
export function explained(error: unknown, { shown }: Address): unknown {
  if (!(error instanceof Error) || error instanceof HookctlError) return error;
  const code = codeOf(error);
  const fix = REFUSALS[code];
  if (fix !== undefined)
    return unusable('store_refused', `${shown}: ${error.message}`, { fix, cause: error });
  if (code === '25006')
    return unusable('store_read_only', `${shown} is read-only`, {
      fix: 'Write the address of the primary server into the URL.',
      cause: error,
    });
  if (isAway(error))
    return unreachable(
      { shown },
      CUT.test(error.message) ? 'the connection broke' : messageOf(error) || code,
    );
  return error;
}

/** The database gives no answer, or a bad one. */
export function unreachable({ shown }: Pick<Address, 'shown'>, why = 'it gives no answer'): HookctlError {
  return failure('store_away', `${shown} can't be reached: ${why}`, {
    fix: 'See that PostgreSQL runs, and that the URL of the database names it.',
  });
}

/** Whether the database could not be reached, or the connection broke: what was asked may have happened or not. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (error instanceof AggregateError) return error.errors.some(isAway);
  return code === 'store_away' || AWAY.test(code) || UNREACHED.test(code) || CUT.test(error.message);
}

/** What another transaction took first: done again, it succeeds. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && /^(?:40001|40P01|23505|55P03)$/.test(codeOf(error));
}

/** The code of an error; empty when it has none. */
export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
