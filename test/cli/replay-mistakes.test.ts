import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DeliveryView } from '../../src/views.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { readStore, serverForFile, settled } from '../support/server.ts';

const TRIGGERS = `
webhooks:
  github:
    commands:
      - { trigger: '*', template: first }
      - { trigger: '*', template: second, priority: 10 }
      - { name: analyze, template: third }
`;

let sandbox: Sandbox;
let processed: string;
let unparsed: string;
let rejected: string;

beforeAll(async () => {
  sandbox = await sandboxForFile({ files: { 'webhooks.yml': TRIGGERS } });
  const server = await serverForFile(sandbox);
  processed = (await signedPost(server.url, comment('Looks good'))).id;
  unparsed = (await signedPost(server.url, '{')).id;
  await signedPost(server.url, comment('@agent fix'), { secret: 'wrong' });
  rejected = readStore(sandbox, (reader) => reader.deliveries({ status: 'rejected' })[0]?.id ?? '');
  await settled(sandbox, processed);
});

test('replay --dry-run --json: prints an array of what explain --json prints', async () => {
  const all = await tellJson<object[]>(sandbox, 'replay', processed, processed, '--dry-run');
  const { delivery: _, ...explained } = await tellJson<{ delivery: DeliveryView }>(
    sandbox,
    'explain',
    processed,
  );
  expect(all).toEqual([explained, explained]);
});

test('replay: a delivery that does not parse is a failure, such a file a usage error; both name it', async () => {
  const stored = await tell(sandbox, 'replay', unparsed);
  expect([stored.code, stored.stderr]).toEqual([1, expect.stringContaining(`${unparsed} can't be replayed`)]);
  await sandbox.write('broken.json', '{');
  const args = [join(sandbox.project, 'broken.json'), '--provider', 'github', '--event', 'issues.opened'];
  const file = await tell(sandbox, 'replay', ...args);
  expect([file.code, file.stderr]).toEqual([2, expect.stringContaining("broken.json can't be replayed")]);
});

describe('hints lead to no error', () => {
  test.each(['show', 'retry'])('delivery %s recommends a replay only where one can work', async (verb) => {
    expect((await tell(sandbox, 'delivery', verb, processed)).stderr).toContain(
      `hookctl replay ${processed}`,
    );
    const refused = await tell(sandbox, 'delivery', verb, rejected);
    expect(refused.stderr).toContain('have the sender deliver it again');
    expect(refused.stderr).not.toContain('hookctl replay');
    const broken = await tell(sandbox, 'delivery', verb, unparsed);
    expect(broken.stderr).toContain(`hookctl delivery show ${unparsed} --body`);
    expect(broken.stderr).not.toContain('hookctl replay');
  });
});

test('reasons: what several commands share appears once, shortened only in the list', async () => {
  const { reason } = await tellJson<DeliveryView>(sandbox, 'delivery', 'show', processed);
  expect(reason?.match(/its conditions hold/g)).toHaveLength(1);
  const list = (await tell(sandbox, 'delivery', 'list')).stdout;
  const [header = '', ...rows] = list.trim().split('\n');
  const column = header.indexOf('REASON');
  for (const row of rows) expect(row.length - column).toBeLessThanOrEqual(100);
});

test('explain: separates now from then, with commands in the order of the webhook', async () => {
  const { stdout } = await tell(sandbox, 'explain', processed);
  expect(stdout).toMatch(/^because .*\n\nWith the present configuration:\n\nsource /m);
  const listed = await tellJson<{ id: string }[]>(sandbox, 'webhook', 'command', 'list', 'github');
  const explained = await tellJson<{ events: { commands: { command: string }[] }[] }>(
    sandbox,
    'explain',
    processed,
  );
  expect(explained.events[0]?.commands.map(({ command }) => command)).toEqual(listed.map(({ id }) => id));
});
