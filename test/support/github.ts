import { randomInt, randomUUID } from 'node:crypto';
import definitions from '@octokit/webhooks-examples' with { type: 'json' };
import { sign } from '@octokit/webhooks-methods';
import { SECRET } from './secret.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Payload = { [key: string]: Json };

/** A published example of what api.github.com sends. */
export interface Example {
  readonly event: string;
  readonly payload: Payload;
}

const ALL: readonly Example[] = (definitions as unknown as { name: string; examples: Payload[] }[]).flatMap(
  ({ name, examples }) => examples.map((payload) => ({ event: name, payload })),
);

/** All examples of `@octokit/webhooks-examples`, each a copy that may be changed. */
export function examples(): readonly Example[] {
  return structuredClone(ALL);
}

export interface CommentOptions {
  /** GitHub's `author_association`; default OWNER. */
  readonly association?: string;
  /** Number of the issue: its flow. */
  readonly issue?: number;
  readonly title?: string;
  readonly action?: 'created' | 'edited' | 'deleted';
  /** The person who wrote and sent it. */
  readonly user?: { readonly id: number; readonly login: string; readonly type: string };
}

/** A new comment on an issue: a published example with this text. */
export function comment(text: string, options: CommentOptions = {}): Payload {
  const { association = 'OWNER', issue = 1, action = 'created', title, user } = options;
  const example = ALL.find(({ event, payload }) => event === 'issue_comment' && payload.action === 'created');
  const payload = structuredClone(example?.payload) as unknown as Payload &
    Record<'issue' | 'comment', Payload>;
  payload.action = action;
  Object.assign(payload.issue, { number: issue, ...(title !== undefined && { title }) });
  const now = new Date().toISOString();
  Object.assign(payload.comment, {
    ...{ id: randomInt(2 ** 47), body: text, author_association: association },
    ...{ created_at: now, updated_at: now },
  });
  if (user !== undefined) {
    payload.sender = user;
    payload.comment.user = user;
  }
  return payload;
}

export interface PostOptions {
  readonly event?: string;
  readonly secret?: string;
  readonly deliveryId?: string;
  readonly path?: string;
  /** In place of those that GitHub would send; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The delivery id of hookctl, where the answer names one. */
  readonly id: string;
}

/** Posts a body as GitHub would, signed by Octokit. */
export async function signedPost(
  url: string,
  body: Payload | string,
  options: PostOptions = {},
): Promise<Answer> {
  const { event = 'issue_comment', secret = SECRET, deliveryId = randomUUID() } = options;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/044aadd',
    'x-github-delivery': deliveryId,
    'x-github-event': event,
    'x-hub-signature-256': await sign(secret, text),
    ...options.headers,
  };
  const sent = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const response = await fetch(url + (options.path ?? '/webhooks/github'), {
    method: 'POST',
    headers: sent,
    body: text,
  });
  const answer = await response.text();
  const { id = '' } = answer.startsWith('{') ? (JSON.parse(answer) as { id?: string }) : {};
  return { status: response.status, text: answer, id };
}
