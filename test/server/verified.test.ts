import { beforeAll, describe, expect, test } from 'vitest';
import { comment, signedPost } from '../support/github.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { readStore, type Server, serverForFile, settled } from '../support/server.ts';

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  sandbox = await sandboxForFile();
  server = await serverForFile(sandbox);
});

describe('verified requests', () => {
  test.each([
    ['no JSON', '{"action":', 'not valid JSON'],
    ['no object', '[1, 2]', 'not an object'],
    ['a key twice', '{"a":1,"a":2}', 'same key twice'],
    ['nested too deep', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'deeper than 64'],
    ['blank', ' ', 'not valid JSON'],
  ])('that are %s are kept whole as `unparsed` and answered 400', async (_, body, reason) => {
    const { status, id, text } = await signedPost(server.url, body);
    expect(status).toBe(400);
    expect(text).toContain(reason);
    const delivery = readStore(sandbox, (reader) => reader.delivery(id));
    expect(delivery).toMatchObject({ status: 'unparsed', trust: 'verified', eventType: 'issue_comment' });
    expect(delivery?.reason).toContain(reason);
    expect(Buffer.from(readStore(sandbox, (reader) => reader.body(id)) ?? []).toString()).toBe(body);
  });

  test.each([
    ['issues', comment('@agent analyze')],
    ['push', comment('@agent analyze')],
    ['pull_request_review', comment('@agent analyze')],
    ['../evil', comment('@agent analyze')],
    [undefined, comment('@agent analyze')],
  ])('whose event header %j does not fit the payload run nothing', async (event, payload) => {
    const { status, id } = await signedPost(server.url, payload, { headers: { 'x-github-event': event } });
    expect(status).toBe(400);
    expect(readStore(sandbox, (reader) => reader.delivery(id)?.status)).toBe('unparsed');
    expect(readStore(sandbox, (reader) => reader.tasks({ deliveryId: id }))).toEqual([]);
  });

  test('of the form type are read, and signed as they are', async () => {
    const text = '@agent analyze 100% & more + ünïcödé';
    const form = new URLSearchParams({ payload: JSON.stringify(comment(text, { issue: 77 })) }).toString();
    const { status, id } = await signedPost(server.url, form, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(status).toBe(202);
    expect((await settled(sandbox, id)).status).toBe('processed');
    const [task] = readStore(sandbox, (reader) => reader.tasks({ deliveryId: id }));
    expect(task?.prompt).toContain('100% & more + ünïcödé');
    expect(Buffer.from(readStore(sandbox, (reader) => reader.body(id)) ?? []).toString()).toBe(form);
  });

  test('leave no secret header in the store', async () => {
    const { id } = await signedPost(server.url, comment('hello'), {
      headers: { authorization: 'Bearer abc', cookie: 'a=b' },
    });
    const headers = readStore(sandbox, (reader) => reader.delivery(id)?.headers) ?? {};
    expect(Object.keys(headers)).toContain('x-hub-signature-256');
    expect(Object.keys(headers)).not.toContain('authorization');
    expect(Object.keys(headers)).not.toContain('cookie');
  });

  test('keep their query, which decides nothing', async () => {
    const { status, id } = await signedPost(server.url, comment('hello'), {
      path: '/webhooks/github?a=%2e&b',
    });
    expect(status).toBe(202);
    expect(readStore(sandbox, (reader) => reader.delivery(id)?.query)).toBe('a=%2e&b');
  });
});
