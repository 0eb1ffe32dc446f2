import { resolve } from 'node:path';
import { isRemote, TOKEN_VARIABLE } from '../../config/project/locate.ts';
import { usageError } from '../../errors.ts';
import { secret } from '../../lib/redact/redact.ts';
import type { ApiCall } from '../../mcp/backend.ts';
import type { Page } from '../../server/api/route.ts';
import type { ManagementAddress } from '../../server/client.ts';
import type { Services } from '../../services.ts';

/** Where the server is that a token of an owner is for. */
const URL_VARIABLE = 'HOOKCTL_URL';
const DEFAULT_PORT = 8001;

/**
 * The server that `HOOKCTL_TOKEN` and `HOOKCTL_URL` name: `http://127.0.0.1:8001`, the default, or `unix:/path` of its socket. Null
 * without a token. Throws `usage` for an address that is none.
 */
export function remoteAddress({ env, cwd, actor, redactor }: Services): ManagementAddress | null {
  if (!isRemote(env)) return null;
  const text = env[TOKEN_VARIABLE] ?? '';
  redactor.learn('token', () => [text]);
  const shared = { token: secret(text.trim()), actor };
  const url = env[URL_VARIABLE] ?? '';
  if (url.startsWith('unix:')) return { ...shared, port: DEFAULT_PORT, socket: resolve(cwd, url.slice(5)) };
  const [, port = url === '' ? String(DEFAULT_PORT) : undefined] =
    /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})\/?$/.exec(url) ?? [];
  if (port !== undefined) return { ...shared, port: Number(port), socket: null };
  throw usageError(
    `${URL_VARIABLE} names no server: ${url}`,
    `Write http://127.0.0.1:${DEFAULT_PORT}, or unix:/path/to/the/socket: management is on this machine alone.`,
  );
}

/** The API of that server; null without `HOOKCTL_TOKEN`. */
export async function remoteCall(app: Services): Promise<ApiCall | null> {
  const address = remoteAddress(app);
  return address === null ? null : (await import('../../server/client.ts')).managementClient(address).call;
}

/** One answer of that server; null without `HOOKCTL_TOKEN`. */
export async function remoteView<View>(app: Services, path: string): Promise<View | null> {
  const call = await remoteCall(app);
  return call === null ? null : call<View>({ method: 'GET', path: `/api/${path}` });
}

/** As many as one answer of the API has. */
const PAGE = 200;

/**
 * Rows of a list by a filter of the store, in the words of the API, and the `next_cursor` behind them. What the API cannot filter
 * by, it refuses.
 */
export async function remoteRows<Row>(call: ApiCall, list: string, filter: object): Promise<Page<Row>> {
  const { limit = 50, before, ...rest } = filter as { limit?: number; before?: string | number };
  const items: Row[] = [];
  for (let cursor = before === undefined ? null : String(before); ; ) {
    const query = new URLSearchParams({
      ...Object.fromEntries(Object.entries(rest).flatMap(([name, value]) => parameter(name, value))),
      limit: String(Math.min(PAGE, limit - items.length)),
      ...(cursor !== null && { cursor }),
    });
    const page: Page<Row> = await call({ method: 'GET', path: `/api/${list}?${query}` });
    items.push(...page.items);
    cursor = page.next_cursor;
    if (cursor === null || items.length >= limit) return { items, next_cursor: cursor };
  }
}

const TIMES: readonly string[] = ['since', 'until'];

function parameter(name: string, value: unknown): readonly (readonly [string, string])[] {
  if (value === undefined || name === 'json' || name === 'follow' || name === 'config') return [];
  const key = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return [[key, TIMES.includes(name) ? new Date(Number(value)).toISOString() : String(value)]];
}
