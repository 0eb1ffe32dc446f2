import { NO_TEXT, type TextCase, UNNAMED, WROTE } from './case.ts';

const STRANGER = { id: 900, login: 'mallory' };
/** go-gitea/gitea `models/user/user_system.go`, and Forgejo's copy of it. */
const MACHINES = [
  { id: -1, login: 'Ghost' },
  { id: -2, login: 'gitea-actions' },
  { id: -2, login: 'forgejo-actions' },
  { id: 77, login: 'forgejo-actions' },
  { id: 0, login: 'nobody' },
];

export const gitea: readonly TextCase[] = [
  ...MACHINES.map((account) => ({
    name: `${account.login} (${account.id})`,
    sample: 'issue_comment.created',
    change: { sender: account, comment: { user: account } },
    refused: `${account.login} acts through app ${account.id}`,
  })),
  {
    name: 'D1: a pull request with `"review": null`',
    sample: 'pull_request.opened',
    change: { review: null, comment: null },
    refused: null,
  },
  {
    name: 'an issue that a migration brought',
    sample: 'issues.opened',
    change: { issue: { user: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'a pull request that another opened',
    sample: 'pull_request.opened',
    change: { pull_request: { user: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'a comment without a writer',
    sample: 'issue_comment.created',
    change: { comment: { user: null } },
    refused: UNNAMED,
  },
  {
    name: 'a comment that the owner edited',
    sample: 'issue_comment.created',
    change: { action: 'edited', changes: { body: { from: 'x' } }, comment: { user: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'an edit of nothing',
    sample: 'issues.opened',
    change: { action: 'edited', changes: { body: null } },
    refused: NO_TEXT,
  },
];
