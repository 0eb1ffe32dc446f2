import type { JsonObject } from '../../../src/types.ts';
import { APP, type TextCase } from './case.ts';

const COMMENT = 'comment_created';
const by = (author: JsonObject) => ({
  user: { ...author },
  comment: { author: { ...author }, updateAuthor: { ...author } },
});

/**
 * Jira's machine accounts. `accountType: app`: developer.atlassian.com, REST v3, "User"; `addon_<app key>`: Connect, "Add-on users".
 */
export const jiraMachines: readonly TextCase[] = [
  {
    name: 'an app by its type',
    sample: COMMENT,
    change: by({ accountId: 'a-1', accountType: 'app' }),
    refused: APP,
  },
  {
    name: 'Automation for Jira',
    sample: COMMENT,
    change: by({ accountId: '557058:f58131cb-b67d-43c7-b30d-6b58d40bd077', accountType: null }),
    refused: APP,
  },
  {
    name: 'an app on Data Center',
    sample: COMMENT,
    change: by({
      accountId: null,
      accountType: null,
      key: 'addon_com.acme.sync',
      name: 'addon_com.acme.sync',
    }),
    refused: APP,
  },
];
