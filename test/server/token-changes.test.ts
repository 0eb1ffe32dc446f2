import { expect, test } from 'vitest';
import type { DbState, DbWebhook } from '../../src/config/dynamic/schema.ts';
import { ownChange } from '../../src/server/access/changes.ts';

const context = { now: 0, nextId: () => 'wh-1', newSecret: () => 's', fixed: [] };
const webhook = (fields: object): DbWebhook =>
  ({
    ...{
      webhook_id: 'wh-1',
      provider: 'github',
      name: 'shop',
      endpoint: '/webhooks/github/wh-1',
      owner: 'ada',
    },
    ...{ commands: [], secrets: [{ value: 's' }], created_at: '', updated_at: '' },
    ...fields,
  }) as unknown as DbWebhook;
const state = (...webhooks: readonly DbWebhook[]): DbState => ({ schema_version: 1, webhooks }) as DbState;
const run = { id: 'cmd-1', name: 'deploy', action: 'run', options: { program: 'make' } };

/** What happens to a change from one state to another with a token of ada. */
function changed(from: DbState, to: DbState, listed?: readonly string[]): string {
  try {
    ownChange({ owner: 'ada', listed }, () => ({ state: to, result: null }))(from, context);
    return 'done';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test.each([
  ['a field', webhook({}), webhook({ enabled: false }), 'done'],
  ['a program that is new', webhook({}), webhook({ commands: [run] }), 'operator_only'],
  [
    'a program that stays',
    webhook({ commands: [run] }),
    webhook({ commands: [run], enabled: false }),
    'done',
  ],
  [
    'another program',
    webhook({ commands: [run] }),
    webhook({ commands: [{ ...run, options: { program: 'sh' } }] }),
    'operator_only',
  ],
  [
    'a program in a variant of a command',
    webhook({ commands: [{ id: 'cmd-1', name: 'deploy' }] }),
    webhook({
      commands: [
        { id: 'cmd-1', name: 'deploy', variants: [{ name: 'a', action: 'run', options: { program: 'sh' } }] },
      ],
    }),
    'operator_only',
  ],
  [
    'the arguments of a program in a variant',
    webhook({ commands: [{ ...run, variants: [{ name: 'a', weight: 1 }] }] }),
    webhook({ commands: [{ ...run, variants: [{ name: 'a', weight: 1, options: { program: 'sh' } }] }] }),
    'operator_only',
  ],
  [
    'a program in a variant of the webhook',
    webhook({}),
    webhook({ variants: [{ name: 'a', commands: [run] }] }),
    'operator_only',
  ],
  ['a variable as its secret', webhook({}), webhook({ secrets: [{ env: 'AWS_SECRET' }] }), 'operator_only'],
  ['another owner', webhook({}), webhook({ owner: 'eve' }), 'not_found'],
  ['no owner', webhook({}), webhook({ owner: undefined }), 'not_found'],
  ['one of another owner', webhook({ owner: 'eve' }), webhook({ owner: 'ada' }), 'not_found'],
])('a token of an owner gives a webhook %s: %#', (_what, from, to, outcome) => {
  expect(changed(state(from), state(to))).toBe(outcome);
});

test('it makes and removes what is its own, and gives what the operator lists', () => {
  const other = webhook({ webhook_id: 'wh-2', owner: 'eve' });
  expect(changed(state(other), state(other, webhook({})))).toBe('done');
  expect(changed(state(other, webhook({ commands: [run] })), state(other))).toBe('done');
  expect(changed(state(other, webhook({})), state(webhook({})))).toBe('not_found');
  expect(changed(state(), state(webhook({ commands: [run] })), ['run'])).toBe('done');
  expect(changed(state(), state(webhook({ commands: [run] })), ['forward'])).toBe('operator_only');
});
