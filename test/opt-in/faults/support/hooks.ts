import { createHash, createHmac, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { comment, examples, type Payload } from '../../../support/github.ts';
import { SECRET } from '../../../support/secret.ts';

/** What a delivery comes to: a task that only the store has, a task with files, a reply. */
export type Effect = 'task' | 'files' | 'reply';

/** A request as GitHub would send it; it may be sent more than once. */
export interface Hook {
  /** GitHub's own id of the delivery. */
  readonly guid: string;
  readonly effect: Effect;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly sha256: string;
}

export interface Answer {
  readonly status: number;
  /** hookctl's id of the delivery; empty where the answer names none. */
  readonly id: string;
  /** In ms, from the request to the end of the answer. */
  readonly ms: number;
  readonly retryAfter: string | null;
}

/** Each on an issue of its own, so that it has a flow of its own. */
let issues = 0;

const LABELED = examples().find(({ event, payload }) => event === 'issues' && payload.action === 'labeled');

const KINDS: Readonly<Record<Effect, { readonly path: string; readonly event: string; payload(): Payload }>> =
  {
    task: { path: '/webhooks/quiet', event: 'issues', payload: labeled },
    files: { path: '/webhooks/github', event: 'issue_comment', payload: () => said('@agent analyze') },
    reply: { path: '/webhooks/github', event: 'issue_comment', payload: () => said('@agent say') },
  };

function labeled(): Payload {
  if (LABELED === undefined) throw new Error('there is no example of issues.labeled');
  return { ...LABELED.payload, issue: { ...(LABELED.payload.issue as Payload), number: ++issues } };
}

function said(text: string): Payload {
  return comment(text, { issue: ++issues });
}

/** A new delivery, signed. */
export function newHook(effect: Effect = 'task'): Hook {
  const { path, event, payload } = KINDS[effect];
  const guid = randomUUID();
  // The id stands in the body, too, so that its bytes can be found wherever they were written.
  const body = Buffer.from(JSON.stringify({ nonce: guid, ...payload() }));
  return {
    guid,
    effect,
    path,
    body,
    sha256: createHash('sha256').update(body).digest('hex'),
    headers: {
      'content-type': 'application/json',
      'content-length': String(body.length),
      'user-agent': 'GitHub-Hookshot/044aadd',
      'x-github-delivery': guid,
      'x-github-event': event,
      'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
    },
  };
}

/** How long a sender waits: GitHub gives up after 10 s. */
const PATIENCE_MS = 10_000;

export interface PostOptions {
  /** Connections to be used again; without it each request has one of its own. */
  readonly agent?: Agent;
  readonly patienceMs?: number;
}

/** Sends it. Rejects when no whole answer came. */
export function post(url: string, hook: Hook, options: PostOptions = {}): Promise<Answer> {
  const { agent = false, patienceMs = PATIENCE_MS } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const startedAt = performance.now();
  const { headers, body } = hook;
  const sent = request(url + hook.path, { method: 'POST', agent, headers }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    response.on('error', reject).on('end', () => {
      const { statusCode: status = 0, headers: got } = response;
      const ms = performance.now() - startedAt;
      const id = String(got['x-hookctl-delivery'] ?? '');
      if (!response.complete) return reject(new Error(`the answer broke off: ${text}`));
      resolve({ status, id, ms, retryAfter: got['retry-after'] ?? null });
    });
  });
  const timer = setTimeout(() => sent.destroy(new Error(`no answer in ${patienceMs} ms`)), patienceMs);
  sent.on('error', reject).on('close', () => clearTimeout(timer));
  sent.end(body);
  return promise;
}

/** As many connections as a busy sender keeps. */
export function connections(most: number): Agent {
  return new Agent({ keepAlive: true, maxSockets: most });
}
