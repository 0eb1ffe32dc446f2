import { join } from 'node:path';
import { stripVTControlCharacters, styleText } from 'node:util';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';

test('E22: a first start without ~/.claude gives one instruction and offers no session', async () => {
  const sandbox = await sandboxForTest();
  const { CLAUDE_CONFIG_DIR: _, ...env } = sandbox.env;
  const { url, stderr: colored } = await serveHere(sandbox, [], { env, color: true });
  const stderr = () => stripVTControlCharacters(colored());
  expect(stderr().replaceAll('\n  ', ' ')).toMatch(
    /^Task list: off: .*\.claude does not exist: start Claude Code once/m,
  );
  expect(stderr()).not.toContain('open a Claude session');
  expect(stderr()).toMatch(/^ *Secret: hookctl webhook show github --show-secret$/m);
  const { id } = await signedPost(url, comment('@agent analyze'));
  await eventually(
    'what became of it',
    () => stderr().includes(`[${id}]\n`) && /files not written/.test(stderr()),
  );
  const [yellow = ''] = styleText('yellow', '|', { validateStream: false }).split('|');
  const lines = colored().split('\n');
  expect(lines.find((line) => line.includes('files not written'))).toContain(`${yellow}<-- processed`);
  expect(lines.find((line) => line.includes('Task list: off'))).toContain(yellow);
});

const LONG_NAME = 'deploys of a service with a long name, 日本語, and a few words more';
const LONG_URL = `https://${'long-'.repeat(10)}name.example.com/${'under/'.repeat(5)}hooks`;
const COMMAND = /^hookctl( --config \S+)? webhook [a-z-]+ ('[^']*'|\S+)( --show-secret)?$/;
const VARIABLE = 'A_VARIABLE_WITH_A_LONG_NAME_FOR_THE_SECRET_OF_ONE_WEBHOOK';

test.for(['no flag', '--public-url', '--config'])(
  'serve with %s says it in lines of 80 columns, and what a person pastes stays whole',
  async (flag) => {
    const sandbox = await sandboxForTest({
      files: { 'webhooks.yml': 'agents: { planning: { use: command, program: /bin/true } }\n' },
    });
    const config = join(sandbox.project, 'webhooks.yml');
    const args = { 'no flag': [], '--public-url': [flag, LONG_URL], '--config': [flag, config] }[flag] ?? [];
    for (const more of [
      ['add', 'gitlab', '--name', LONG_NAME],
      ['add', 'github', '--name', 'locked', '--secret-env', VARIABLE],
      ['add', 'github', '--name', 'away'],
      ['disable', 'away'],
    ])
      expect(await tell(sandbox, 'webhook', ...more), more.join(' ')).toMatchObject({ code: 0 });
    const endpoints = (
      await tellJson<readonly { name: string; endpoint: string }[]>(sandbox, 'webhook', 'list')
    )
      .filter(({ name }) => name !== 'away')
      .map(({ endpoint }) => endpoint);
    const { CLAUDE_CONFIG_DIR: _, ...env } = sandbox.env;
    const server = await serveHere(sandbox, args, { env });

    const text = server.stderr();
    const lines = text.trimEnd().split('\n');
    const command = flag === '--config' ? `hookctl --config ${config}` : 'hookctl';
    const pasted = [
      ...endpoints.map((endpoint) => `${flag === '--public-url' ? LONG_URL : server.url}${endpoint}`),
      ...['jira', 'slack', 'sentry', 'gitlab'].map((name) => `${command} webhook show ${name}`),
      `${command} webhook show '${LONG_NAME}' --show-secret`,
    ];
    const isOnePiece = (line: string) => !/\s/.test(line.trim()) || COMMAND.test(line.trim());
    expect(lines.filter((line) => stringWidth(line) > 80 && !isOnePiece(line))).toEqual([]);
    expect(pasted.filter((value) => !lines.some((line) => line.endsWith(value)))).toEqual([]);
    expect(text).toMatch(/^Replies: off: github \(no GITHUB_TOKEN\), jira \(no JIRA_API_TOKEN\),/m);
    expect(text).toMatch(/^Task list: off: /m);
    expect(text).toMatch(/^warning: webhook locked:$/m);
    expect(text).toMatch(/^Ready on [\s\S]*\(management \S+, pid \d+\)\n$/m);
  },
);
