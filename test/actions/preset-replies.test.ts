import { expect, test } from 'vitest';
import { hasMarker } from '../../src/providers/kit/marker.ts';
import { dbText, record } from '../config/dynamic/support.ts';
import { apisForFile } from '../outbox/support.ts';
import { startEngine } from '../support/engine.ts';

const apis = apisForFile();

/** Preset, an event in which a person writes, what is sent at once, and where the answer stands. */
const CASES = [
  ['gitea', 'issue_comment.created', 'react', /^gitea:acme\/web#\d+$/],
  ['bitbucket', 'pullrequest:comment_created', null, /^bitbucket:acme\/web\/pullrequests\/\d+$/],
  ['linear', 'Comment.create', 'react', /^linear:2174add1-/],
  ['discord', 'application_command', 'comment', /^discord:\d+\/interaction-\d+$/],
  ['pagerduty', 'incident.annotated', null, /^pagerduty:P\w+$/],
] as const;

const secretOf = (name: string) =>
  name === 'discord' ? `whsk_${Buffer.alloc(32, 7).toString('base64')}` : 's3cret';

/** A webhook of every preset, with a command that answers and one that makes a task. */
const webhooks = CASES.map(([name], index) =>
  record(index + 1, {
    name,
    provider: name,
    endpoint: `/webhooks/${name}/wh-${String(index + 1).padStart(16, '0')}`,
    secrets: [{ value: secretOf(name) }],
    default_command: 'work',
    ...(name === 'discord' && { allow: { users: ['53908232506183680'] } }),
    commands: [
      { id: 'cmd-say', name: 'say', action: 'comment', template: 'said: {{@argument}}' },
      { id: 'cmd-work', name: 'work', template: 'Work' },
    ],
  }),
);

function engine() {
  const accounts = CASES.map(
    ([name]) => `  ${name}: { ${name === 'discord' ? '' : 'tokenEnv: TOKEN, '}baseUrl: ${apis().url} }`,
  );
  const yaml = `credentials:\n${accounts.join('\n')}\n`;
  return startEngine({ yaml, db: dbText(webhooks), env: { TOKEN: 'a-token' } });
}

test.each(CASES)('%s is answered where it asked', async (name, type, _, thread) => {
  const { deliver, sent } = await engine();
  const { delivery } = await deliver(name, type, undefined, '@agent say hello');
  expect(delivery).toMatchObject({ status: 'processed' });
  const [item] = await sent(delivery.id);
  expect(item).toMatchObject({ kind: 'comment', status: 'sent' });
  const standing = apis().posts.filter(({ text }) => hasMarker(text, item?.id ?? ''));
  expect(standing).toMatchObject([
    { thread: expect.stringMatching(thread), text: expect.stringContaining('said: hello') },
  ]);
});

test.each(CASES)('%s learns at once that somebody is at work', async (name, type, kind) => {
  const { deliver, sent } = await engine();
  const { delivery, tasks } = await deliver(name, type, undefined, '@agent work');
  expect(tasks).toHaveLength(1);
  const items = await sent(delivery.id);
  expect(items.map((item) => [item.kind, item.status])).toEqual(kind === null ? [] : [[kind, 'sent']]);
});

test('tokens go in the form that each wants, and Discord needs none', async () => {
  const seen = new Map(
    apis().requests.map(({ path, headers }) => [path.split('/')[1] ?? '', headers.authorization]),
  );
  expect(Object.fromEntries(seen)).toEqual({
    api: 'token a-token',
    '2.0': 'Bearer a-token',
    graphql: 'Bearer a-token',
    incidents: 'Token token=a-token',
    webhooks: undefined,
  });
});
