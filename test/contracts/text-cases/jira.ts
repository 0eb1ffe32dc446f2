import { type TextCase, UNNAMED, WROTE } from './case.ts';

const STRANGER = { accountId: 'x-900', displayName: 'Mallory', accountType: 'customer' };

export const jira: readonly TextCase[] = [
  {
    name: 'a comment that another edited',
    sample: 'comment_updated',
    change: { comment: { author: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'an issue that was made for another',
    sample: 'jira:issue_created',
    change: { issue: { fields: { reporter: STRANGER } } },
    refused: UNNAMED,
  },
  {
    name: 'an issue that another created',
    sample: 'jira:issue_created',
    change: { issue: { fields: { creator: STRANGER, reporter: STRANGER } } },
    refused: WROTE,
  },
];
