import type { IncomingMessage } from 'node:http';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface StandingPost {
  readonly id: string;
  readonly thread: string;
  readonly text: string;
}

/** What the providers hold. */
export interface State {
  readonly requests: SeenRequest[];
  readonly posts: StandingPost[];
  readonly reactions: string[];
  readonly labels: string[];
}

export interface Reply {
  readonly status: number;
  readonly json: unknown;
}

export type Handler = (state: State, match: RegExpExecArray, body: Record<string, unknown>) => Reply;

/** Method and path → what the provider does. */
export type Route = readonly [method: string, path: RegExp, handler: Handler];

export function ok(json: unknown): Reply {
  return { status: 200, json };
}

export function list({ posts }: State, thread: string): readonly StandingPost[] {
  return posts.filter((each) => each.thread === thread);
}

export function post(state: State, thread: string, text: unknown, status: number): Reply {
  const id = String(1_000 + state.posts.length);
  state.posts.push({ id, thread, text: String(text) });
  return { status, json: { id: Number(id), body: text } };
}

export function edit(state: State, id: string | undefined, text: unknown): Reply {
  const at = state.posts.findIndex((each) => each.id === id);
  const old = state.posts[at];
  if (old === undefined) return { status: 404, json: { message: 'Not Found' } };
  state.posts[at] = { ...old, text: String(text) };
  return ok({ ok: true, id: Number(id) });
}

export function react(state: State, what: string): Reply {
  const known = state.reactions.includes(what);
  if (!known) state.reactions.push(what);
  return { status: known ? 200 : 201, json: { ok: true, id: 1 } };
}

export function label(state: State, labels: unknown): Reply {
  state.labels.push(String(labels));
  return ok([]);
}
