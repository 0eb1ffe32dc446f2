import { APP, MOVED, NO_TEXT, type TextCase, UNNAMED, WROTE } from './case.ts';

const STRANGER = { id: 900, login: 'mallory', type: 'User' };
const OLD = { old_issue: { number: 3 }, old_repository: { id: 9, full_name: 'o/old' } };

/** Machine accounts by octokit/webhooks, `User.type`; ghost by api.github.com/users/ghost. */
const MACHINES: readonly TextCase[] = [
  ['an app', { type: 'Bot', login: 'renovate[bot]' }],
  ['a workflow', { type: 'Bot', login: 'github-actions[bot]' }],
  ['a login that only apps can have', { type: 'User', login: 'renovate[bot]' }],
  ['a mannequin, whom an import did not find', { type: 'Mannequin', login: 'ada' }],
  ['an organisation', { type: 'Organization', login: 'octo-org' }],
].map(([who, account]) => ({
  name: `${who}`,
  sample: 'issue_comment.created',
  change: { sender: account as object, comment: { user: account as object } } as TextCase['change'],
  refused: APP.replace('which `allow.apps` does not list', 'bot'),
}));

export const github: readonly TextCase[] = [
  ...MACHINES,
  {
    name: 'ghost, who owns what deleted accounts left',
    sample: 'issue_comment.created',
    change: { sender: { id: 10137, login: 'ghost' }, comment: { user: { id: 10137, login: 'ghost' } } },
    refused: 'ghost',
  },
  {
    name: 'an app that acts for a person',
    sample: 'issue_comment.created',
    change: { comment: { performed_via_github_app: { id: 29310 } } },
    refused: APP,
  },
  {
    name: 'a listed app that acts for a person',
    sample: 'issue_comment.created',
    change: { comment: { performed_via_github_app: { id: 29310 } } },
    apps: ['29310'],
    refused: null,
  },
  {
    name: 'A4: an issue that its author transferred',
    sample: 'issues.opened',
    change: { changes: OLD },
    refused: MOVED,
  },
  {
    name: 'A4: an issue that a maintainer transferred',
    sample: 'issues.opened',
    change: { changes: OLD, issue: { user: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'a discussion that was made of an issue',
    sample: 'issues.opened',
    change: { changes: { new_discussion: { number: 4 } } },
    refused: MOVED,
  },
  {
    name: 'an imported pull request',
    sample: 'pull_request.opened',
    change: { pull_request: { user: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'a comment that a maintainer edited',
    sample: 'issue_comment.edited',
    change: { comment: { user: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'a comment of a deleted account',
    sample: 'issue_comment.created',
    change: { comment: { user: null } },
    refused: UNNAMED,
  },
  {
    name: 'a label on a stranger’s issue',
    sample: 'issues.labeled',
    change: { issue: { user: STRANGER } },
    refused: NO_TEXT,
  },
  {
    name: 'D1: an issue with `"comment": null` and `"review": null`',
    sample: 'issues.opened',
    change: { comment: null, review: null, thread: null },
    refused: null,
  },
  {
    name: 'a new title',
    sample: 'issues.opened',
    change: { action: 'edited', changes: { title: { from: 'x' }, body: null } },
    refused: NO_TEXT,
  },
];
