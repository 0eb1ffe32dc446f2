import { edit, list, ok, post, type Reply, type Route, react, type State } from './provider-state.ts';

/** The reply APIs of the presets, with the documented status codes. */
export const presetRoutes: readonly Route[] = [
  [
    'POST',
    /^\/api\/v1\/repos\/([^/]+\/[^/]+)\/issues\/(\d+)\/comments$/,
    (state, [, repo, number], { body }) => post(state, `gitea:${repo}#${number}`, body, 201),
  ],
  [
    'GET',
    /^\/api\/v1\/repos\/([^/]+\/[^/]+)\/issues\/(\d+)\/comments\?since=/,
    (state, [, repo, number]) =>
      ok(list(state, `gitea:${repo}#${number}`).map(({ id, text }) => ({ id: Number(id), body: text }))),
  ],
  [
    'PATCH',
    /^\/api\/v1\/repos\/[^/]+\/[^/]+\/issues\/comments\/(\d+)$/,
    (state, [, id], { body }) => edit(state, id, body),
  ],
  [
    'POST',
    /^\/api\/v1\/repos\/(.+)\/reactions$/,
    (state, [, place], { content }) => react(state, `gitea:${place}:${content}`),
  ],
  [
    'POST',
    /^\/2\.0\/repositories\/([^/]+\/[^/]+)\/(pullrequests|issues)\/(\d+)\/comments$/,
    (state, [, repo, kind, number], body) =>
      post(state, `bitbucket:${repo}/${kind}/${number}`, rawOf(body), 201),
  ],
  [
    'GET',
    /^\/2\.0\/repositories\/([^/]+\/[^/]+)\/(pullrequests|issues)\/(\d+)\/comments\?/,
    (state, [, repo, kind, number]) => {
      const found = list(state, `bitbucket:${repo}/${kind}/${number}`);
      return ok({ values: found.map(({ id, text }) => ({ id: Number(id), content: { raw: text } })) });
    },
  ],
  [
    'PUT',
    /^\/2\.0\/repositories\/.+\/comments\/(\d+)$/,
    (state, [, id], body) => edit(state, id, rawOf(body)),
  ],
  [
    'POST',
    /^\/incidents\/([^/]+)\/notes$/,
    (state, [, incident], { note }) => {
      const { content } = note as { content: string };
      const { status } = post(state, `pagerduty:${incident}`, content, 201);
      return { status, json: { note: { id: state.posts.at(-1)?.id, content } } };
    },
  ],
  [
    'GET',
    /^\/incidents\/([^/]+)\/notes$/,
    (state, [, incident]) =>
      ok({ notes: list(state, `pagerduty:${incident}`).map(({ id, text }) => ({ id, content: text })) }),
  ],
  ['POST', /^\/graphql$/, (state, _, body) => linear(state, body as unknown as LinearRequest)],
  ['PATCH', /^\/webhooks\/([^/]+\/[^/]+)\/messages\/@original$/, discordOriginal],
  [
    'GET',
    /^\/webhooks\/([^/]+\/[^/]+)\/messages\/@original$/,
    (state, [, place]) => {
      const [found] = list(state, `discord:${place}`);
      return found === undefined ? gone() : ok({ id: found.id, content: found.text });
    },
  ],
  [
    'PATCH',
    /^\/webhooks\/[^/]+\/[^/]+\/messages\/(\d+)$/,
    (state, [, id], { content }) => edit(state, id, content),
  ],
  [
    'POST',
    /^\/webhooks\/([^/]+\/[^/]+)$/,
    (state, [, place], { content }) => post(state, `discord-followup:${place}`, content, 200),
  ],
];

function rawOf(body: Record<string, unknown>): unknown {
  return (body.content as { raw?: unknown } | undefined)?.raw;
}

interface LinearRequest {
  readonly query: string;
  readonly variables: {
    readonly id?: string;
    readonly mark?: string;
    readonly input?: {
      readonly issueId?: string;
      readonly commentId?: string;
      readonly body?: string;
      readonly emoji?: string;
    };
  };
}

/** Linear has one address, and answers by the name of the mutation. */
function linear(state: State, { query, variables: { id, mark = '', input = {} } }: LinearRequest): Reply {
  if (query.includes('commentCreate(')) {
    post(state, `linear:${input.issueId}`, input.body, 200);
    return ok({ data: { commentCreate: { success: true, comment: { id: state.posts.at(-1)?.id } } } });
  }
  if (query.includes('commentUpdate(')) {
    edit(state, id, input.body);
    return ok({ data: { commentUpdate: { success: true, comment: { id } } } });
  }
  if (query.includes('reactionCreate(')) {
    react(state, `linear:${input.commentId ?? input.issueId}:${input.emoji}`);
    return ok({ data: { reactionCreate: { success: true } } });
  }
  const nodes = list(state, `linear:${id}`).filter(({ text }) => text.includes(mark));
  return ok({
    data: { issue: { comments: { nodes: nodes.map((each) => ({ id: each.id, body: each.text })) } } },
  });
}

/** What is said again replaces what was said before. */
function discordOriginal(state: State, [, place]: RegExpExecArray, body: Record<string, unknown>): Reply {
  const [found] = list(state, `discord:${place}`);
  if (found !== undefined) return edit(state, found.id, body.content);
  const { status } = post(state, `discord:${place}`, body.content, 200);
  return { status, json: { id: state.posts.at(-1)?.id, content: body.content } };
}

function gone(): Reply {
  return { status: 404, json: { message: 'Unknown Message', code: 10008 } };
}
