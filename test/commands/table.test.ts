import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { below, state, table, time, whole } from '../../src/cli/kit/table.ts';
import type { OutputStream } from '../../src/lib/io.ts';
import { openStore } from '../../src/store/local/index.ts';
import { databasePath } from '../../src/store/local/sqlite.ts';
import { comment, record } from '../outbox/support.ts';
import { tell, tellPerson } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';

const stream = (columns: number | undefined, color = false): OutputStream => ({
  isTerminal: columns !== undefined,
  color,
  columns,
  write: () => undefined,
});

const COLUMNS = [
  whole('id'),
  time('received'),
  'webhook',
  'event',
  'sender',
  state('status'),
  below('reason'),
];
const REASON = 'the sender octocat has the association NONE, which is not among OWNER, MEMBER, COLLABORATOR';
const row = (id: string, sender: string, reason = REASON) => [
  ...[id, '2026-11-30 02:48:25', 'github', 'issue_comment.created', sender, 'ignored', reason],
];
const ROWS = [
  row('dlv-01jd9x3k2a7f3kq2', 'octocat'),
  row('dlv-01jd9x3k2a7f3kq3', '山田太郎さん'),
  row('dlv-01jd9x3k2a7f3kq4', '🎉 Åsa🇳🇴'),
];

test('tables: fit the terminal, keep ids whole and break between words', async () => {
  for (const columns of [60, 80, 100, 120]) {
    const lines = (await table(stream(columns), COLUMNS, ROWS)).split('\n');
    expect(
      lines.filter((line) => stringWidth(line) > columns),
      `${columns} columns`,
    ).toEqual([]);
    for (const [id = ''] of ROWS) expect(lines.join('\n')).toContain(id);
    const words = REASON.split(' ');
    const printed = lines.slice(1).join(' ').split(/\s+/);
    expect(
      words.filter((word) => !printed.includes(word)),
      `${columns} columns`,
    ).toEqual([]);
  }
});

test('tables: align cells by display width, also emoji, flags, combining marks and CJK', async () => {
  const names = ['octocat', '山田太郎さん', '🎉 Åsa🇳🇴', 'cafe\u0301', '한국어', 'ﾊﾝｶｸ', '❤️ ok'];
  const text = await table(
    stream(undefined),
    ['name', 'next'],
    names.map((name) => [name, '|']),
  );
  const lines = text.split('\n');
  const ends = lines.slice(1).map((line) => stringWidth(line.slice(0, line.indexOf('|'))));
  expect(new Set(ends).size).toBe(1);
});

test('tables: a cut text ends between two characters, with …', async () => {
  const cut = await table(stream(24), [whole('id'), 'title'], [['task-1', '🇳🇴'.repeat(9)]]);
  const line = cut.split('\n')[1] ?? '';
  expect(line).toMatch(/^task-1 {2}(?:🇳🇴)+…$/u);
  expect(stringWidth(line)).toBeLessThanOrEqual(24);
  const wide = await table(stream(24), [whole('id'), below('why')], [['task-1', 'x'.repeat(50)]]);
  expect(wide.split('\n').filter((text) => text.length > 24)).toEqual([]);
});

test('tables: without a terminal each row is one whole line, for grep and awk', async () => {
  const lines = (await table(stream(undefined), COLUMNS, ROWS)).split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[1]).toContain(REASON);
});

test('tables: colours appear only on terminals that want them', async () => {
  const painted = await table(stream(200, true), COLUMNS, [row('dlv-1', 'octocat')]);
  expect(painted).toContain('\u001b[');
  expect(await table(stream(200), COLUMNS, [row('dlv-1', 'octocat')])).not.toContain('\u001b[');
});

test('tables: every list fits 80 columns', async () => {
  const sandbox = await sandboxForTest();
  const title =
    'ログイン後にクラッシュする 🎉🎉 when the 日本語 title is very long, and then some more words';
  for (const prompt of [title, 'plain']) {
    await tell(sandbox, 'task', 'create', prompt, '--external-id', 'github:octo-organisation/a-long-name#42');
  }
  await tell(
    sandbox,
    'webhook',
    'add',
    'github',
    '--name',
    'a webhook with a long name 日本語',
    '--secret',
    'x'.repeat(40),
  );
  const text = 'a text of many words, ログイン後にクラッシュする, and so on and on';
  const store = await openStore({ path: databasePath(sandbox.dataFolder) });
  await record(store, 'github', comment('github', text));
  await store.close();
  for (const list of [
    ['delivery', 'list'],
    ['outbox', 'list'],
    ['task', 'list'],
    ['flow', 'list'],
    ['conversation', 'list'],
    ['audit', 'list'],
    ['webhook', 'list'],
    ['tunnel', 'list'],
    ['webhook', 'command', 'list', 'github'],
  ]) {
    const { code, stdout, stderr } = await tellPerson(sandbox, '', ...list);
    expect([code, stderr], list.join(' ')).toEqual([0, '']);
    expect(stdout.split('\n').length, list.join(' ')).toBeGreaterThan(2);
    expect(
      stdout.split('\n').filter((line) => stringWidth(line) > 80),
      list.join(' '),
    ).toEqual([]);
  }
});
