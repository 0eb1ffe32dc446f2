import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { closeServer, listen } from '../../src/lib/http/listen.ts';
import { type Payload, signedPost } from './github.ts';

export const REPOSITORY = {
  ...{ id: 1296269, name: 'web', full_name: 'acme/web', default_branch: 'main', private: true },
  html_url: 'https://github.com/acme/web',
  owner: { id: 1, login: 'acme', type: 'Organization' },
} as const;

export const ADA = { id: 21, login: 'ada', type: 'User' } as const;
/** The account whose token the agent has. */
export const ROBOT = { id: 5, login: 'robot', type: 'User' } as const;

/** A pull request of `acme/web`. */
export interface HostedPull {
  readonly number: number;
  readonly branch: string;
  readonly title: string;
  readonly body: string;
  state: 'open' | 'closed';
}

/** GitHub on loopback for one bare repository: its pull requests, the logs of its runs, and its webhooks. */
export interface CodeHost {
  readonly url: string;
  readonly pulls: readonly HostedPull[];
  /** The commit of a branch, as it was pushed. */
  headOf(branch: string): string;
  /** The log of every failed job. */
  log: string;
  /** Sends an event to these endpoints, as GitHub would. */
  send(event: string, payload: Payload): Promise<void>;
  pullPayload(pull: HostedPull): Payload;
  close(): Promise<void>;
}

/** As a sender that tries again for as long as nothing answers. */
export async function accepted<Answer>(send: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      if (tries === 600) throw error;
      await delay(100);
    }
  }
}

interface CodeHostOptions {
  /** The bare repository. */
  readonly repository: string;
  /** Base addresses of those that get its events. */
  readonly hooks: () => readonly string[];
  /** Answers what is no matter of pull requests: comments. */
  readonly others: string;
  /** The number of the first pull request. */
  readonly first?: number;
}

export async function startCodeHost({
  repository,
  hooks,
  others,
  first = 57,
}: CodeHostOptions): Promise<CodeHost> {
  const pulls: HostedPull[] = [];

  const headOf = (branch: string) =>
    execFileSync('git', ['-C', repository, 'rev-parse', `refs/heads/${branch}`], { encoding: 'utf8' }).trim();
  const pullPayload = (pull: HostedPull): Payload => ({
    ...{ id: 1000 + pull.number, number: pull.number, state: pull.state, title: pull.title, body: pull.body },
    ...{ user: ROBOT, author_association: 'NONE', draft: false, merged: pull.state === 'closed' },
    html_url: `https://github.com/acme/web/pull/${pull.number}`,
    head: { ref: pull.branch, sha: headOf(pull.branch), repo: REPOSITORY },
    base: { ref: 'main', repo: REPOSITORY },
  });
  async function send(event: string, payload: Payload): Promise<void> {
    const body = { repository: REPOSITORY, sender: ROBOT, ...payload };
    for (const url of hooks()) {
      const deliveryId = randomUUID();
      await accepted(() => signedPost(url, body, { event, deliveryId }));
    }
  }

  async function open(asked: { title: string; body: string; head: string }): Promise<Payload> {
    // A run that was cut off and is repeated asks again.
    const known = pulls.find(({ branch }) => branch === asked.head);
    if (known !== undefined) return pullPayload(known);
    const pull: HostedPull = {
      ...{ number: first + pulls.length, branch: asked.head, title: asked.title, body: asked.body },
      state: 'open',
    };
    pulls.push(pull);
    // GitHub keeps the head of a pull request here, wherever its branch moves to.
    const ref = `refs/pull/${pull.number}/head`;
    execFileSync('git', ['-C', repository, 'symbolic-ref', ref, `refs/heads/${pull.branch}`]);
    await send('pull_request', { action: 'opened', number: pull.number, pull_request: pullPayload(pull) });
    return pullPayload(pull);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString();
    const path = request.url ?? '';
    const json = (status: number, value: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.method === 'POST' && path === '/repos/acme/web/pulls') {
      return json(201, await open(JSON.parse(body) as { title: string; body: string; head: string }));
    }
    const number = /^\/repos\/acme\/web\/pulls\/(\d+)$/.exec(path)?.[1];
    const pull = pulls.find((each) => String(each.number) === number);
    if (pull !== undefined) return json(200, pullPayload(pull));
    const sha = /^\/repos\/acme\/web\/commits\/([0-9a-f]+)\/pulls/.exec(path)?.[1];
    if (sha !== undefined)
      return json(200, pulls.filter(({ branch }) => headOf(branch) === sha).map(pullPayload));
    if (/\/actions\/runs\/\d+\/attempts\/\d+\/jobs/.test(path)) {
      const steps = [{ name: 'Run tests', number: 2, conclusion: 'failure' }];
      return json(200, { jobs: [{ id: 9, name: 'test', conclusion: 'failure', steps }] });
    }
    if (path.endsWith('/actions/jobs/9/logs')) return void response.writeHead(200).end(host.log);
    const passed = await fetch(others + path, {
      method: request.method ?? 'GET',
      headers: { 'content-type': 'application/json', authorization: request.headers.authorization ?? '' },
      ...(body !== '' && { body }),
    });
    const text = await passed.text();
    response.writeHead(passed.status, { 'content-type': 'application/json' }).end(text);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  const host: CodeHost = {
    ...{ url: `http://127.0.0.1:${port}`, pulls, headOf, log: '', send, pullPayload },
    async close() {
      server.closeAllConnections();
      await closeServer(server);
    },
  };
  return host;
}
