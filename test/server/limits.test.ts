import { createHmac } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HookctlError } from '../../src/errors.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { ask } from '../support/management.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { SECRET } from '../support/secret.ts';
import { readStore, serverForTest } from '../support/server.ts';

const OTHER = `
import { defineWebhook } from 'hookctl';
export default defineWebhook({ name: 'other', provider: 'github', secretEnv: 'GITHUB_WEBHOOK_SECRET', commands: [] });
`;

test('a webhook takes its burst and then as many as ingress.rateLimit says: 429 with Retry-After beyond', async () => {
  const sandbox = await sandboxForTest({
    files: {
      'webhooks.yml': 'ingress: { rateLimit: { perSecond: 0.1, burst: 5 } }\nstatic: ./hooks/*.ts\n',
      'hooks/other.ts': OTHER,
    },
  });
  const server = await serverForTest(sandbox);
  // Who can't sign has no part in the bucket, and can't empty it for the others.
  for (let n = 0; n < 20; n += 1) {
    expect((await signedPost(server.url, comment('hello'), { secret: 'wrong' })).status).toBe(401);
  }
  const statuses: number[] = [];
  for (let n = 0; n < 8; n += 1) statuses.push((await signedPost(server.url, comment('hello'))).status);
  expect(statuses).toEqual([202, 202, 202, 202, 202, 429, 429, 429]);

  const body = JSON.stringify(comment('hello'));
  const refused = await fetch(`${server.url}/webhooks/github`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'issue_comment',
      'x-github-delivery': 'd-1',
      'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
    },
  });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(10);
  expect(refused.headers.get('connection')).toBe('close');

  expect((await signedPost(server.url, comment('hello'), { path: '/webhooks/other' })).status).toBe(202);
  expect(readStore(sandbox, (reader) => reader.deliveries({ status: 'rejected', limit: 100 }).length)).toBe(
    20,
  );
  expect(readStore(sandbox, (reader) => reader.deliveries({ limit: 100 }).length)).toBe(26);
});

test('a flood that fails verification is answered 401 each, costs a bounded number of rows and lines, and is summed up', async () => {
  const FLOOD = 1_500;
  const sandbox = await sandboxForTest();
  const log = join(sandbox.root, 'serve.log');
  const server = await serverForTest(sandbox, '--log-file', log);
  const begun = performance.now();
  const body = JSON.stringify(comment('@agent analyze'));
  let left = FLOOD;
  const wrong: string[] = [];
  const flood = async () => {
    while (left-- > 0) {
      const answer = await fetch(`${server.url}/webhooks/github`, {
        method: 'POST',
        body,
        headers: { 'x-github-event': 'issue_comment', 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` },
      });
      const text = await answer.text();
      if (answer.status !== 401 || text !== '{}') wrong.push(`${answer.status} ${text}`);
    }
  };
  await Promise.all([...Array.from({ length: 10 }, flood), acceptMeanwhile(server.url)]);
  expect(wrong).toEqual([]);

  const seconds = (performance.now() - begun) / 1000;
  const rows = readStore(sandbox, (reader) => reader.deliveries({ status: 'rejected', limit: FLOOD }).length);
  expect(rows).toBeGreaterThanOrEqual(200);
  expect(rows).toBeLessThanOrEqual(200 + Math.ceil(seconds * 10));
  const line = await eventually('the sum', () => server.lines().find(({ of }) => of === 'ingress'));
  expect(line).toMatchObject({ state: 'refusing' });
  const told = () =>
    server.lines().filter(({ type, status }) => type === 'delivery' && status === 'rejected').length;
  await eventually('a line for each row', () => told() >= rows);
  expect(told()).toBe(rows);
  expect(statSync(log).size).toBeLessThan(300 * 1_000);
  // All are counted all the same.
  const { text } = await ask(server, 'GET', '/metrics');
  expect(text).toContain(
    `hookctl_deliveries_total{webhook="github",provider="github",owner="operator",outcome="rejected"} ${FLOOD}`,
  );
});

/** Who can sign gets through beside the flood. */
async function acceptMeanwhile(url: string): Promise<void> {
  for (let n = 0; n < 20; n += 1) expect((await signedPost(url, comment('hello'))).status).toBe(202);
}

test('a rate limit that is none is refused with its place', async () => {
  const sandbox = await sandboxForTest({
    files: { 'webhooks.yml': 'ingress: { rateLimit: { perSecond: 0, burst: 1.5, often: 1 } }\n' },
  });
  const failed = await serverForTest(sandbox).then(
    () => '',
    (error: HookctlError) => error.message,
  );
  for (const field of ['perSecond', 'burst', 'often']) expect(failed).toContain(`ingress.rateLimit.${field}`);
});
