import type { JsonObject, Sample, SampleContext } from '../../types.ts';

const WEB = 'https://gitlab.com/acme/web';

/** Payloads as GitLab sends them, cut to the fields that are read, by one member of one private project. */
export const samples: readonly Sample[] = [
  { type: 'note.create', build: (context) => note('create', context) },
  { type: 'note.update', build: (context) => note('update', context) },
  { type: 'issue.open', build: (context) => envelope('issue', { ...issue(context), action: 'open' }) },
  { type: 'issue.close', build: (context) => envelope('issue', { ...issue(context), action: 'close' }) },
  {
    type: 'merge_request.open',
    build: (context) => envelope('merge_request', { ...mergeRequest(context), action: 'open' }),
  },
  {
    type: 'merge_request.merge',
    build: (context) => envelope('merge_request', { ...mergeRequest(context), action: 'merge' }),
  },
  {
    type: 'pipeline',
    build: (context) =>
      envelope('pipeline', {
        id: context.nextNumber(),
        ref: 'main',
        status: 'failed',
        url: `${WEB}/-/pipelines/1`,
      }),
  },
  { type: 'push', build: push },
];

function note(action: string, context: SampleContext): JsonObject {
  const subject = mergeRequest(context);
  const id = context.nextNumber();
  const attributes = {
    id,
    note: context.text,
    noteable_type: 'MergeRequest',
    noteable_id: subject.id,
    author_id: 51,
    system: false,
    action,
    created_at: context.now.toISOString(),
    updated_at: context.now.toISOString(),
    url: `${subject.url}#note_${id}`,
  };
  return {
    ...envelope('note', attributes),
    merge_request: { ...subject, description: 'Adds a check before the login.' },
  };
}

function issue(context: SampleContext) {
  const iid = 1 + (context.nextNumber() % 900);
  return { ...subject(context, iid), title: 'Login fails with status 500', url: `${WEB}/-/issues/${iid}` };
}

function mergeRequest(context: SampleContext) {
  const iid = 1 + (context.nextNumber() % 900);
  return {
    ...subject(context, iid),
    title: 'Check the session before login',
    source_branch: 'login',
    target_branch: 'main',
    url: `${WEB}/-/merge_requests/${iid}`,
  };
}

function subject(context: SampleContext, iid: number) {
  return {
    id: context.nextNumber(),
    iid,
    description: context.text,
    state: 'opened',
    author_id: 51,
    created_at: context.now.toISOString(),
    updated_at: context.now.toISOString(),
  };
}

function push(context: SampleContext): JsonObject {
  const after = context.nextNumber().toString(16).padStart(40, '0');
  return {
    object_kind: 'push',
    event_name: 'push',
    before: '0'.repeat(40),
    after,
    ref: 'refs/heads/main',
    user_id: 51,
    user_name: 'Ada Lovelace',
    user_username: 'ada',
    project: project(),
    commits: [],
    total_commits_count: 0,
  };
}

function envelope(kind: string, attributes: JsonObject): JsonObject {
  return {
    object_kind: kind,
    event_type: kind,
    user: { id: 51, name: 'Ada Lovelace', username: 'ada', email: '[REDACTED]' },
    project: project(),
    object_attributes: attributes,
    labels: [],
    changes: {},
  };
}

function project(): JsonObject {
  return {
    id: 5,
    name: 'web',
    web_url: WEB,
    namespace: 'acme',
    visibility_level: 0,
    path_with_namespace: 'acme/web',
    default_branch: 'main',
  };
}
