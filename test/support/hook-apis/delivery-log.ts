import { createHmac, randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../src/types.ts';
import {
  type ApiCall,
  type KeptHook,
  type LoopbackSpec,
  type LoopbackState,
  numeric,
  type Reply,
} from './loopback.ts';

/** One try of the loopback GitHub to deliver. */
interface Attempt {
  readonly id: bigint;
  readonly guid: string;
  readonly hookId: string;
  readonly at: number;
  readonly isRedelivery: boolean;
  readonly status: string;
  readonly statusCode: number;
  readonly event: string;
  readonly payload: JsonObject;
}

export interface DeliveryLog {
  /** Wraps an API with the routes of its log. */
  readonly spec: LoopbackSpec;
  /** Sends an event to a hook, as GitHub does, and lists the try. Returns its guid; default a new one. */
  send(hook: KeptHook, event: string, payload: JsonObject, guid?: string): Promise<string>;
  readonly attempts: readonly Attempt[];
  /** Redeliveries that were asked for. */
  readonly redelivered: readonly string[];
  /** Resolves when every try has ended. */
  idle(): Promise<void>;
}

interface LogOptions {
  /** By the sender's clock. */
  readonly now?: () => number;
  /** `page`: by number, so that what comes pushes entries to later pages. */
  readonly paging?: 'cursor' | 'page';
  /** Entries on a page, at most what is asked for. */
  readonly pageSize?: number;
  /** The address behind a public URL. */
  readonly reach?: (url: string) => string;
}

const DELIVERIES =
  /^(\/(?:repos\/[^/]+\/[^/]+|orgs\/[^/]+)\/hooks\/(\d+)|\/app\/hook)\/deliveries(?:\/(\d+)(\/attempts)?)?$/;

/** The log of deliveries of GitHub's hooks: `GET …/deliveries`, with pages and payloads, and `POST …/attempts`. */
export function deliveryLog(inner: LoopbackSpec, options: LogOptions = {}): DeliveryLog {
  const { now = Date.now, paging = 'cursor', pageSize = 100, reach = (url) => url } = options;
  const attempts: Attempt[] = [];
  const redelivered: string[] = [];
  const running = new Set<Promise<unknown>>();
  let nextId = 9_007_199_254_741_001n;

  async function tryOnce(hook: KeptHook, sent: Pick<Attempt, 'guid' | 'event' | 'payload'>, again: boolean) {
    const body = JSON.stringify(sent.payload);
    const status = await fetch(reach(hook.url), {
      method: 'POST',
      headers: headersOf(hook, sent, body),
      body,
    }).then(
      (answer) => answer.status,
      () => 0,
    );
    nextId += 2n;
    attempts.unshift({
      ...{ ...sent, id: nextId, hookId: hook.id, at: now(), isRedelivery: again, statusCode: status },
      status:
        status >= 200 && status < 300
          ? 'OK'
          : status === 0
            ? 'failed to connect to host'
            : 'Invalid HTTP Response',
    });
  }

  function begin(work: Promise<unknown>): void {
    running.add(work);
    void work.finally(() => running.delete(work));
  }

  function route(call: ApiCall, state: LoopbackState): Reply | null {
    const [, , hookId, id, again] = DELIVERIES.exec(call.path) ?? [];
    if (!DELIVERIES.test(call.path)) return inner.route(call, state);
    const hook = hookId === undefined ? state.hooks[0] : state.hooks.find((each) => each.id === hookId);
    if (hook === undefined) return null;
    const own = attempts.filter((each) => each.hookId === hook.id);
    if (id === undefined) return page(own, call, state.url());
    const found = own.find((each) => String(each.id) === id);
    if (found === undefined) return null;
    if (again === undefined) return { status: 200, json: detailed(hook, found) };
    redelivered.push(found.guid);
    begin(tryOnce(hook, found, true));
    return { status: 202, json: {} };
  }

  function page(own: readonly Attempt[], { query, path }: ApiCall, base: string): Reply {
    const size = Math.min(pageSize, Number(query.get('per_page') ?? 30));
    const cursor = query.get('cursor');
    const number = Number(query.get('page') ?? 1);
    const rest =
      paging === 'page'
        ? own.slice((number - 1) * size)
        : own.filter(({ id }) => cursor === null || id < BigInt(cursor.slice(3)));
    const items = rest.slice(0, size);
    const next = paging === 'page' ? `page=${number + 1}` : `cursor=v1_${items.at(-1)?.id}`;
    const link = `<${base}${path}?per_page=${size}&${next}>; rel="next"`;
    return {
      status: 200,
      json: items.map(listed),
      headers: { date: new Date(now()).toUTCString(), ...(rest.length > size && { link }) },
    };
  }

  return {
    spec: { ...inner, route },
    attempts,
    redelivered,
    async send(hook, event, payload, guid = randomUUID()) {
      const work = tryOnce(hook, { guid, event, payload }, false);
      begin(work);
      await work;
      return guid;
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

function headersOf(hook: KeptHook, { guid, event }: Pick<Attempt, 'guid' | 'event'>, body: string) {
  const sum = createHmac('sha256', hook.secret ?? '')
    .update(body)
    .digest('hex');
  return {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/loopback',
    'x-github-event': event,
    'x-github-delivery': guid,
    'x-github-hook-id': hook.id,
    'x-hub-signature-256': `sha256=${sum}`,
  };
}

function listed({ id, guid, at, isRedelivery, status, statusCode, event, payload }: Attempt): JsonObject {
  return {
    ...{ id: numeric(String(id)), guid, delivered_at: new Date(at).toISOString(), redelivery: isRedelivery },
    ...{ duration: 0.03, status, status_code: statusCode, event },
    action: typeof payload.action === 'string' ? payload.action : null,
    ...{ installation_id: null, repository_id: null, throttled_at: null },
  };
}

function detailed(hook: KeptHook, attempt: Attempt): JsonObject {
  const headers = Object.entries(headersOf(hook, attempt, JSON.stringify(attempt.payload)));
  const shown = headers.map(([name, value]) => [
    name.replace(/(?:^|-)\w/g, (text) => text.toUpperCase()),
    value,
  ]);
  return {
    ...listed(attempt),
    url: hook.url,
    request: { headers: Object.fromEntries(shown), payload: attempt.payload },
    response: { headers: {}, payload: '' },
  };
}
