import { NO_TEXT, type TextCase, UNNAMED, WROTE } from './case.ts';

const STRANGER = {
  type: 'user',
  nickname: 'mallory',
  account_id: 'x:900',
  uuid: '{900}',
  display_name: 'Mallory',
};
const COMMENT = 'pullrequest:comment_created';
/** Types of accounts: developer.atlassian.com, Bitbucket Cloud REST, "Account"; Server: `UserType`. */
const MACHINES = ['app_user', 'AppUser', 'team', 'SERVICE', 'workspace', ''];

export const bitbucket: readonly TextCase[] = [
  ...MACHINES.map((type) => ({
    name: `an account of the type "${type}", such as an access token’s`,
    sample: COMMENT,
    change: { actor: { type }, comment: { user: { type } } },
    refused: 'ada acts through app 557058:c0b72ad0',
  })),
  {
    name: 'a comment that an administrator edited',
    sample: 'pullrequest:comment_updated',
    change: { comment: { user: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'an imported pull request',
    sample: 'pullrequest:created',
    change: { pullrequest: { author: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'a comment without a writer',
    sample: COMMENT,
    change: { comment: { user: null } },
    refused: UNNAMED,
  },
  {
    name: 'a writer who is named by fewer ids',
    sample: COMMENT,
    change: { comment: { user: { account_id: null } } },
    refused: null,
  },
  {
    name: 'a writer of the same display name',
    sample: COMMENT,
    change: { comment: { user: { ...STRANGER, display_name: 'Ada Lovelace', nickname: 'ada' } } },
    refused: WROTE,
  },
  {
    name: 'Server: a comment of another',
    sample: 'pr:comment:added',
    change: { comment: { author: { id: 900 } } },
    refused: WROTE,
  },
  {
    name: 'D2: an update of an issue with a comment',
    sample: 'issue:comment_created',
    type: 'issue:updated',
    change: { changes: { status: { old: 'open', new: 'on hold' } } },
    refused: null,
  },
  {
    name: 'D2: an update of an issue with a comment of another',
    sample: 'issue:comment_created',
    type: 'issue:updated',
    change: { changes: {}, comment: { user: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'D2: an update of an issue whose comment is empty',
    sample: 'issue:comment_created',
    type: 'issue:updated',
    change: { changes: { status: { old: 'open', new: 'on hold' } }, comment: { content: { raw: '' } } },
    refused: NO_TEXT,
  },
  {
    name: 'D2: an update of an issue whose `comment` is null, which changed the description',
    sample: 'issue:comment_created',
    type: 'issue:updated',
    change: {
      changes: { content: { old: 'x', new: '@agent analyze it' } },
      comment: null,
      issue: {
        content: { raw: '@agent analyze it' },
        reporter: { account_id: '557058:c0b72ad0-1cb5-4018-9cdc-0cde8492c443' },
      },
    },
    refused: null,
  },
  {
    name: 'D1: a pull request with `"comment": null`',
    sample: 'pullrequest:created',
    change: { comment: null },
    refused: null,
  },
  {
    name: 'a push',
    sample: 'repo:push',
    change: {},
    refused: NO_TEXT,
  },
];
