import type { JsonObject, Sample, SampleContext } from '../../types.ts';

const WEB = 'https://github.com';
const REPOSITORY = 'octo-org/octo-repo';

/** Payloads as GitHub sends them, cut to the fields that are read, by one OWNER on one repository. */
export const samples: readonly Sample[] = [
  { type: 'issue_comment.created', build: (context) => comment('created', context) },
  { type: 'issue_comment.edited', build: (context) => comment('edited', context) },
  { type: 'issues.opened', build: (context) => envelope('opened', { issue: issue(context, context.text) }) },
  {
    type: 'issues.labeled',
    build: (context) => envelope('labeled', { issue: issue(context, context.text), label: label('bug') }),
  },
  {
    type: 'pull_request.opened',
    build: (context) => pullRequestEvent('opened', pullRequest(context, context.text)),
  },
  {
    type: 'pull_request_review.submitted',
    build: (context) => {
      const about = pullRequest(context, null);
      const review = { ...written(context, about, 'pullrequestreview-'), state: 'commented' };
      return { ...pullRequestEvent('submitted', about), review };
    },
  },
  {
    type: 'pull_request_review_comment.created',
    build: (context) => {
      const about = pullRequest(context, null);
      const comment = { ...written(context, about, 'discussion_r'), path: 'src/login.ts' };
      return { ...pullRequestEvent('created', about), comment };
    },
  },
  {
    type: 'push',
    build: (context) => {
      const after = context.nextNumber().toString(16).padStart(40, '0');
      return { ref: 'refs/heads/main', before: '0'.repeat(40), after, commits: [], ...place() };
    },
  },
  {
    type: 'ping',
    build: (context) => ({
      zen: 'Keep it logically awesome.',
      hook_id: context.nextNumber(),
      hook: { type: 'Repository', active: true, events: ['issue_comment'] },
      ...place(),
    }),
  },
];

function comment(action: string, context: SampleContext): JsonObject {
  const about = issue(context, 'The login page answers 500 since the last release.');
  return envelope(action, { issue: about, comment: written(context, about, 'issuecomment-') });
}

function pullRequestEvent(action: string, about: ReturnType<typeof pullRequest>): JsonObject {
  return envelope(action, { number: about.number, pull_request: about });
}

function envelope(action: string, parts: JsonObject): JsonObject {
  return { action, ...parts, ...place() };
}

function issue(context: SampleContext, body: string | null) {
  const number = 1 + (context.nextNumber() % 900);
  return {
    id: context.nextNumber(),
    number,
    title: 'Login fails with status 500',
    body,
    state: 'open',
    user: person(),
    author_association: 'OWNER',
    labels: [label('bug')],
    html_url: `${WEB}/${REPOSITORY}/issues/${number}`,
    created_at: context.now.toISOString(),
    updated_at: context.now.toISOString(),
  };
}

function pullRequest(context: SampleContext, body: string | null) {
  const { labels: _, ...shared } = issue(context, body);
  return { ...shared, html_url: `${WEB}/${REPOSITORY}/pull/${shared.number}`, draft: false };
}

/** What a person wrote below an issue or pull request. */
function written(context: SampleContext, about: { readonly html_url: string }, anchor: string): JsonObject {
  const id = context.nextNumber();
  return {
    id,
    html_url: `${about.html_url}#${anchor}${id}`,
    body: context.text,
    user: person(),
    author_association: 'OWNER',
    performed_via_github_app: null,
    created_at: context.now.toISOString(),
    updated_at: context.now.toISOString(),
  };
}

/** The repository and the person that every event names. */
function place(): JsonObject {
  const repository = {
    id: 1296269,
    name: 'octo-repo',
    full_name: REPOSITORY,
    private: true,
    html_url: `${WEB}/${REPOSITORY}`,
    default_branch: 'main',
    owner: person(),
  };
  return { repository, sender: person() };
}

function person(): JsonObject {
  return { id: 583231, login: 'octocat', type: 'User', html_url: `${WEB}/octocat` };
}

function label(name: string): JsonObject {
  return { id: 208045946, name, color: 'f29513', default: true };
}
