import type { JsonObject, Sample, SampleContext } from '../../types.ts';

const WEB = 'https://bitbucket.org/acme/web';
const SERVER = 'https://bitbucket.example.com/projects/ACME/repos/web';

/** Payloads as Bitbucket Cloud sends them, and one of Server, cut to the fields that are read. */
export const samples: readonly Sample[] = [
  { type: 'pullrequest:comment_created', build: (context) => comment(context) },
  { type: 'pullrequest:comment_updated', build: (context) => comment(context) },
  {
    type: 'pullrequest:created',
    build: (context) => ({ ...place(), pullrequest: { ...pullRequest(context), description: context.text } }),
  },
  {
    type: 'issue:comment_created',
    build: (context) => {
      const id = 1 + (context.nextNumber() % 900);
      const issue = { id, title: 'Login fails with status 500', links: link(`${WEB}/issues/${id}`) };
      return { ...place(), issue, comment: written(context, `${WEB}/issues/${id}`) };
    },
  },
  {
    type: 'repo:push',
    build: ({ nextNumber }) => {
      const hash = nextNumber().toString(16).padStart(40, '0');
      const target = { type: 'branch', name: 'main', target: { type: 'commit', hash } };
      return { ...place(), push: { changes: [{ new: target, old: null, closed: false, created: true }] } };
    },
  },
  { type: 'pr:comment:added', build: serverComment },
];

function comment(context: SampleContext): JsonObject {
  const about = { ...pullRequest(context), description: 'Adds a check before the login.' };
  return { ...place(), pullrequest: about, comment: written(context, `${WEB}/pull-requests/${about.id}`) };
}

function written({ text, now, nextNumber }: SampleContext, page: string): JsonObject {
  const id = nextNumber();
  return {
    id,
    content: { raw: text, markup: 'markdown' },
    user: person(),
    created_on: now.toISOString(),
    links: link(`${page}#comment-${id}`),
  };
}

function pullRequest({ now, nextNumber }: SampleContext) {
  const id = 1 + (nextNumber() % 900);
  return {
    id,
    title: 'Check the session before login',
    state: 'OPEN',
    author: person(),
    links: link(`${WEB}/pull-requests/${id}`),
    created_on: now.toISOString(),
  };
}

function place(): JsonObject {
  const repository = {
    type: 'repository',
    full_name: 'acme/web',
    name: 'web',
    uuid: '{673a6070-3421-46c9-9d48-90745f7bfe8e}',
    is_private: true,
    links: link(WEB),
  };
  return { repository, actor: person() };
}

function serverComment({ text, now, nextNumber }: SampleContext): JsonObject {
  const actor = { name: 'ada', emailAddress: 'ada@example.com', id: 51, displayName: 'Ada Lovelace' };
  const author = { ...actor, active: true, slug: 'ada', type: 'NORMAL' };
  const id = 1 + (nextNumber() % 900);
  const repository = { slug: 'web', id: 84, public: false, project: { key: 'ACME', id: 84, public: false } };
  return {
    eventKey: 'pr:comment:added',
    date: now.toISOString(),
    actor: author,
    pullRequest: {
      id,
      title: 'Check the session before login',
      state: 'OPEN',
      author: { user: author, role: 'AUTHOR' },
      toRef: { id: 'refs/heads/main', repository },
      links: { self: [{ href: `${SERVER}/pull-requests/${id}` }] },
    },
    comment: { id: nextNumber(), version: 0, text, author },
  };
}

function person(): JsonObject {
  return {
    type: 'user',
    display_name: 'Ada Lovelace',
    nickname: 'ada',
    account_id: '557058:c0b72ad0-1cb5-4018-9cdc-0cde8492c443',
    uuid: '{d301aafa-d676-4ee0-88be-962be7417567}',
  };
}

function link(href: string): JsonObject {
  return { html: { href } };
}
