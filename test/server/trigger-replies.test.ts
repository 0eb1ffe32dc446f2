import { expect, test } from 'vitest';
import { apisForFile } from '../outbox/support.ts';
import { eventually } from '../support/eventually.ts';
import { tellJson } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';

const apis = apisForFile();

test('E8: a sample posts nothing although there is a token, until --replies asks for it', async () => {
  const yaml = `credentials:\n  github: { baseUrl: "${apis().url}" }\nwebhooks:\n  github:\n    commands:\n      - { name: analyze, template: x }\n      - { trigger: issues.opened, action: comment, template: "Hello" }\n`;
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': yaml }, env: { GITHUB_TOKEN: 'a-token' } });
  await serveHere(sandbox);
  const trigger = (...args: readonly string[]) =>
    tellJson<{ delivery: { decisions: { reason: string }[] } }>(
      sandbox,
      'trigger',
      'github',
      'issues.opened',
      '--json',
      ...args,
    );
  const silent = await trigger();
  expect(silent.delivery.decisions.map(({ reason }) => reason).join()).toContain('add --replies to post');
  expect(apis().posts).toHaveLength(0);
  await trigger('--replies');
  await eventually('the comment', () => apis().posts.some(({ text }) => text.includes('Hello')));
});
