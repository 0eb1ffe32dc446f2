import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeServer, listen } from '../../src/lib/http/listen.ts';
import { presetRoutes } from './preset-routes.ts';
import {
  edit,
  label,
  list,
  ok,
  post,
  type Reply,
  type Route,
  react,
  type SeenRequest,
  type StandingPost,
  type State,
} from './provider-state.ts';

export type { SeenRequest, StandingPost } from './provider-state.ts';

/** What a request meets instead of a right answer. `processed`: the provider has done it all the same. */
export interface Fault {
  readonly processed?: boolean;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The connection ends without an answer, or no answer ever comes, or it stops in the middle. */
  readonly cut?: 'reset' | 'silence' | 'half';
}

/** The providers' reply APIs on one loopback port, as far as hookctl speaks them. */
export interface ProviderApis {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Comments that stand, of all providers. */
  readonly posts: readonly StandingPost[];
  readonly reactions: readonly string[];
  readonly labels: readonly string[];
  /** What the next requests that change something meet, one after the other. */
  fail(...faults: readonly Fault[]): void;
  close(): Promise<void>;
}

/** `standing`: posts of before. */
export async function startProviderApis(standing: readonly StandingPost[] = []): Promise<ProviderApis> {
  const state: State = { requests: [], posts: [...standing], reactions: [], labels: [] };
  const faults: Fault[] = [];
  const server = createServer((request, response) => {
    void readAll(request).then((body) => {
      const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      state.requests.push(seen);
      const fault = seen.method === 'GET' ? undefined : faults.shift();
      if (fault === undefined) return send(response, answer(state, seen));
      const real = fault.processed === true ? answer(state, seen) : null;
      misbehave(response, fault, real);
    });
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    ...state,
    url: `http://127.0.0.1:${port}`,
    fail: (...more) => void faults.push(...more),
    async close() {
      server.closeAllConnections();
      await closeServer(server);
    },
  };
}

function send(response: ServerResponse, { status, json }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}

function misbehave(response: ServerResponse, fault: Fault, real: Reply | null): void {
  if (fault.cut === 'reset') return void response.socket?.resetAndDestroy();
  if (fault.cut === 'silence') return;
  if (fault.cut === 'half') {
    response.writeHead(201, { 'content-length': '1000' });
    response.write('{"id":');
    return;
  }
  response.writeHead(fault.status ?? real?.status ?? 200, fault.headers);
  response.end(fault.body ?? '');
}

/** Method and path → what the provider does. The documented status codes; Slack always answers 200. */
const ROUTES: readonly Route[] = [
  ...presetRoutes,
  [
    'POST',
    /^\/repos\/([^/]+\/[^/]+)\/issues\/(\d+)\/comments$/,
    (state, [, repo, number], { body }) => post(state, `github:${repo}#${number}`, body, 201),
  ],
  [
    'GET',
    /^\/repos\/([^/]+\/[^/]+)\/issues\/(\d+)\/comments\?/,
    (state, [, repo, number]) =>
      ok(list(state, `github:${repo}#${number}`).map(({ id, text }) => ({ id, body: text }))),
  ],
  [
    'PATCH',
    /^\/repos\/[^/]+\/[^/]+\/issues\/comments\/(\d+)$/,
    (state, [, id], { body }) => edit(state, id, body),
  ],
  [
    'POST',
    /^\/repos\/([^/]+\/[^/]+)\/pulls\/(\d+)\/comments\/(\d+)\/replies$/,
    (state, [, repo, number, first], { body }) =>
      post(state, `github:${repo}#${number}/review/${first}`, body, 201),
  ],
  [
    'GET',
    /^\/repos\/([^/]+\/[^/]+)\/pulls\/(\d+)\/comments\?/,
    (state, [, repo, number]) =>
      ok(
        state.posts
          .filter(({ thread }) => thread.startsWith(`github:${repo}#${number}/review/`))
          .map(({ id, text }) => ({ id, body: text })),
      ),
  ],
  [
    'PATCH',
    /^\/repos\/[^/]+\/[^/]+\/pulls\/comments\/(\d+)$/,
    (state, [, id], { body }) => edit(state, id, body),
  ],
  [
    'POST',
    /^\/repos\/(.+)\/reactions$/,
    (state, [, place], { content }) => react(state, `github:${place}:${content}`),
  ],
  ['POST', /^\/repos\/.+\/issues\/\d+\/labels$/, (state, _, { labels }) => label(state, labels)],
  [
    'POST',
    /^\/rest\/api\/2\/issue\/([^/]+)\/comment$/,
    (state, [, key], { body }) => post(state, `jira:${key}`, body, 201),
  ],
  [
    'GET',
    /^\/rest\/api\/2\/issue\/([^/]+)\/comment\?/,
    (state, [, key]) =>
      ok({ comments: list(state, `jira:${key}`).map(({ id, text }) => ({ id, body: text })) }),
  ],
  [
    'PUT',
    /^\/rest\/api\/2\/issue\/[^/]+\/comment\/(\d+)$/,
    (state, [, id], { body }) => edit(state, id, body),
  ],
  ['PUT', /^\/rest\/api\/2\/issue\/[^/]+$/, (state, _, { update }) => label(state, JSON.stringify(update))],
  [
    'POST',
    /^\/api\/0\/issues\/([^/]+)\/comments\/$/,
    (state, [, id], { text }) => sentryPost(state, `sentry:${id}`, text),
  ],
  [
    'GET',
    /^\/api\/0\/issues\/([^/]+)\/comments\/$/,
    (state, [, id]) =>
      ok(list(state, `sentry:${id}`).map((each) => ({ id: each.id, data: { text: each.text } }))),
  ],
  ['PUT', /^\/api\/0\/issues\/[^/]+\/comments\/(\d+)\/$/, (state, [, id], { text }) => edit(state, id, text)],
  [
    'POST',
    /^\/api\/v4\/projects\/(.+)\/notes$/,
    (state, [, place], { body }) => post(state, `gitlab:${place}`, body, 201),
  ],
  [
    'GET',
    /^\/api\/v4\/projects\/(.+)\/notes\?/,
    (state, [, place]) => ok(list(state, `gitlab:${place}`).map(({ id, text }) => ({ id, body: text }))),
  ],
  ['PUT', /^\/api\/v4\/projects\/.+\/notes\/(\d+)$/, (state, [, id], { body }) => edit(state, id, body)],
  [
    'POST',
    /^\/api\/v4\/projects\/(.+)\/award_emoji$/,
    (state, [, place], { name }) => react(state, `gitlab:${place}:${name}`),
  ],
  ['PUT', /^\/api\/v4\/projects\/.+$/, (state, _, { add_labels }) => label(state, add_labels)],
  ['POST', /^\/api\/chat\.postMessage$/, (state, _, body) => slackPost(state, body)],
  [
    'GET',
    /^\/api\/conversations\.replies\?/,
    (state) =>
      ok({
        ok: true,
        messages: list(state, 'slack').map(({ id, text }) => ({ ts: id, ...JSON.parse(text) })),
      }),
  ],
  ['POST', /^\/api\/chat\.update$/, (state, _, body) => edit(state, String(body.ts), JSON.stringify(body))],
  [
    'POST',
    /^\/api\/chat\.postEphemeral$/,
    (state, _, body) => post(state, 'slack-ephemeral', JSON.stringify(body), 200),
  ],
  ['POST', /^\/api\/reactions\.add$/, (state, _, { name }) => react(state, `slack:${name}`)],
  ['POST', /^\/commands\//, (state, _, body) => post(state, 'slack-response', JSON.stringify(body), 200)],
];

function answer(state: State, { method, path, body }: SeenRequest): Reply {
  for (const [verb, pattern, handler] of ROUTES) {
    const match = verb === method ? pattern.exec(path) : null;
    if (match !== null) return handler(state, match, body === '' ? {} : JSON.parse(body));
  }
  return { status: 404, json: { message: 'Not Found' } };
}

function sentryPost(state: State, thread: string, text: unknown): Reply {
  return list(state, thread).some((each) => each.text === text)
    ? { status: 400, json: { detail: 'You have already posted that comment.' } }
    : post(state, thread, text, 201);
}

function slackPost(state: State, body: Record<string, unknown>): Reply {
  if (body.channel === undefined) return ok({ ok: false, error: 'channel_not_found' });
  post(state, 'slack', JSON.stringify(body), 200);
  return ok({ ok: true, ts: state.posts.at(-1)?.id });
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
