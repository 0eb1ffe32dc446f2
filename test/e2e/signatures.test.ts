import { createHmac } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { comment, signedPost } from '../support/github.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { SECRET } from '../support/secret.ts';
import { readStore, type Server, serverForFile } from '../support/server.ts';

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  sandbox = await sandboxForFile();
  server = await serverForFile(sandbox);
});

const body = JSON.stringify(comment('@agent analyze'));
const digest = (secret: string, algorithm = 'sha256', text = body) =>
  createHmac(algorithm, secret).update(text).digest('hex');
const right = `sha256=${digest(SECRET)}`;

test.each([
  ['missing', undefined, /no signature|missing/i],
  ['empty', '', /./],
  ['its prefix alone', 'sha256=', /./],
  ['without its prefix', digest(SECRET), /./],
  ['truncated', right.slice(0, -1), /./],
  ['one digit too long', `${right}0`, /./],
  ['wrong', right.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')), /./],
  ['of another secret', `sha256=${digest('another secret')}`, /./],
  ['of the empty secret', `sha256=${digest('')}`, /./],
  ['of another body', `sha256=${digest(SECRET, 'sha256', `${body}\n`)}`, /./],
  ['a SHA-1', `sha1=${digest(SECRET, 'sha1')}`, /./],
  ['a SHA-1 under the name of SHA-256', `sha256=${digest(SECRET, 'sha1')}`, /./],
  ['base64', `sha256=${createHmac('sha256', SECRET).update(body).digest('base64')}`, /./],
  ['two values', `${right}, ${right}`, /./],
  ['of another provider', `v0=${digest(SECRET)}`, /./],
])('a signature that is %s: 401 `{}`, and one row with the cause', async (name, signature, cause) => {
  const deliveryId = `refused ${name}`;
  const answer = await signedPost(server.url, body, {
    deliveryId,
    headers: { 'x-hub-signature-256': signature },
  });
  expect([answer.status, answer.text]).toEqual([401, '{}']);
  const rows = readStore(sandbox, (reader) =>
    reader.deliveries({ status: 'rejected' }).filter((row) => row.senderDeliveryId === deliveryId),
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]?.reason).toMatch(cause);
  expect(rows[0]).toMatchObject({
    webhook: 'github',
    eventType: 'issue_comment',
    size: body.length,
    trust: null,
  });
  expect(rows[0]?.headers).toEqual({});
  expect(readStore(sandbox, (reader) => reader.body(rows[0]?.id ?? ''))).toBeNull();
});

test('the causes tell the cases apart', () => {
  const reasons = readStore(sandbox, (reader) => reader.deliveries({ status: 'rejected', limit: 100 })).map(
    ({ reason }) => reason,
  );
  expect(new Set(reasons).size).toBeGreaterThanOrEqual(3);
  expect(reasons.join()).not.toContain(SECRET);
});

test('the right one still enters', async () => {
  const answer = await signedPost(server.url, body, { headers: { 'x-hub-signature-256': right } });
  expect(answer.status).toBe(202);
});

test('no refused request leaves a task', () => {
  expect(readStore(sandbox, (reader) => reader.tasks()).length).toBeLessThanOrEqual(1);
});
