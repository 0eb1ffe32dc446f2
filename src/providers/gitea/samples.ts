import type { JsonObject, Sample, SampleContext } from '../../types.ts';

const WEB = 'https://git.example.com';
const REPOSITORY = 'acme/web';

/** Payloads as Gitea sends them, cut to the fields that are read, by one member of a private repository. */
export const samples: readonly Sample[] = [
  { type: 'issue_comment.created', build: (context) => comment('created', context) },
  {
    type: 'issue_comment.edited',
    build: (context) => ({ ...comment('edited', context), changes: { body: { from: 'before' } } }),
  },
  {
    type: 'issues.opened',
    build: (context) => {
      const about = issue(context, context.text);
      return envelope('opened', { number: about.number, issue: about });
    },
  },
  {
    type: 'pull_request.opened',
    build: (context) => {
      const about = pullRequest(context, context.text);
      return envelope('opened', { number: about.number, pull_request: about });
    },
  },
  {
    type: 'pull_request_comment.reviewed',
    build: (context) => {
      const about = pullRequest(context, 'Adds a check before the login.');
      const review = { type: 'pull_request_review_comment', content: context.text };
      return envelope('reviewed', { number: about.number, pull_request: about, review });
    },
  },
  {
    type: 'push',
    build: ({ nextNumber }) => {
      const after = nextNumber().toString(16).padStart(40, '0');
      const push = { ref: 'refs/heads/main', before: '0'.repeat(40), after, commits: [], total_commits: 0 };
      return { ...push, pusher: person(), ...place() };
    },
  },
];

function comment(action: string, context: SampleContext): JsonObject {
  const about = issue(context, 'The login page answers 500 since the last release.');
  const id = context.nextNumber();
  const written = {
    id,
    html_url: `${about.html_url}#issuecomment-${id}`,
    user: person(),
    body: context.text,
    created_at: context.now.toISOString(),
    updated_at: context.now.toISOString(),
  };
  return envelope(action, { issue: about, comment: written, is_pull: false });
}

function issue(context: SampleContext, body: string | null) {
  const number = 1 + (context.nextNumber() % 900);
  return {
    id: context.nextNumber(),
    number,
    user: person(),
    title: 'Login fails with status 500',
    body,
    state: 'open',
    html_url: `${WEB}/${REPOSITORY}/issues/${number}`,
    created_at: context.now.toISOString(),
    updated_at: context.now.toISOString(),
  };
}

function pullRequest(context: SampleContext, body: string | null) {
  const shared = issue(context, body);
  return { ...shared, html_url: `${WEB}/${REPOSITORY}/pulls/${shared.number}`, merged: false };
}

function envelope(action: string, parts: JsonObject): JsonObject {
  return { action, ...parts, ...place() };
}

/** The repository and the person that every event names. */
function place(): JsonObject {
  const repository = {
    id: 14,
    name: 'web',
    full_name: REPOSITORY,
    owner: { id: 3, login: 'acme', username: 'acme' },
    private: true,
    html_url: `${WEB}/${REPOSITORY}`,
    default_branch: 'main',
  };
  return { repository, sender: person() };
}

function person(): JsonObject {
  return { id: 7, login: 'ada', username: 'ada', full_name: 'Ada Lovelace' };
}
