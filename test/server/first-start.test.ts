import { stripVTControlCharacters, styleText } from 'node:util';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';

test('E22: a first start without ~/.claude gives one instruction and offers no session', async () => {
  const sandbox = await sandboxForTest();
  const { CLAUDE_CONFIG_DIR: _, ...env } = sandbox.env;
  const { url, stderr: colored } = await serveHere(sandbox, [], { env, color: true });
  const stderr = () => stripVTControlCharacters(colored());
  expect(stderr()).toMatch(/^Task list: off: .*\.claude does not exist: start Claude Code once/m);
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
