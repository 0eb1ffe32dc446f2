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
  [
    'POST',
    /^\/bot([^/]+)\/sendMessage$/,
    (state, [, token], { chat_id, text }) => {
      if (decodeURIComponent(token ?? '') !== 'token-of-telegram')
        return { status: 401, json: { ok: false } };
      post(state, `telegram:${chat_id}`, text, 200);
      return ok({ ok: true, result: { message_id: Number(state.posts.at(-1)?.id) } });
    },
  ],
  [
    'POST',
    /^\/bot[^/]+\/editMessageText$/,
    (state, _, { message_id, text }) => {
      const { status } = edit(state, String(message_id), text);
      return { status, json: { ok: status === 200, result: { message_id } } };
    },
  ],
  [
    'PUT',
    /^\/api\/v2\/tickets\/(\d+)\.json$/,
    (state, [, ticket], body) => {
      const { comment } = body.ticket as { comment: { body: string; public: boolean } };
      if (comment.public) return { status: 422, json: { error: 'customers would see it' } };
      post(state, `zendesk:${ticket}`, comment.body, 200);
      const event = { id: Number(state.posts.at(-1)?.id), type: 'Comment' };
      return ok({ ticket: { id: Number(ticket) }, audit: { events: [{ id: 1, type: 'Change' }, event] } });
    },
  ],
  [
    'GET',
    /^\/api\/v2\/tickets\/(\d+)\/comments\.json\?/,
    (state, [, ticket]) =>
      ok({
        comments: list(state, `zendesk:${ticket}`).map(({ id, text }) => ({ id: Number(id), body: text })),
      }),
  ],
  // A workflow answers 202 and says nothing of what it posted.
  [
    'POST',
    /^\/workflows\/w1\/triggers\/manual\/paths\/invoke\?sig=secret-of-teams$/,
    (state, _, body) => ({ ...post(state, 'teams', JSON.stringify(body), 202), json: null }),
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
