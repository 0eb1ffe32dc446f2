import { beforeAll, describe, expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { comment, signedPost } from '../support/github.ts';
import { ask, expectJson } from '../support/management.ts';
import { type Server, settled } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';

interface Row {
  readonly id: string;
  readonly created_at: string;
  readonly received_at: string;
  readonly external_id: string;
  readonly sender: string;
  readonly event_type: string;
}
interface Page {
  readonly items: readonly Row[];
  readonly next_cursor: string | null;
}

const suite = serverOfSuite();
let server: Server;
/** Two deliveries, the older one with a text that JSON writes in another way. */
let first: Row;
let second: Row;

beforeAll(async () => {
  server = suite().server;
  const made: Row[] = [];
  for (const text of ['@agent analyze the "Größe"', '@agent plan it']) {
    const { id } = await signedPost(server.url, comment(text));
    await settled(server.sandbox, id);
    made.push(await expectJson<Row>(200, server, 'GET', `/api/deliveries/${id}`));
  }
  [first, second] = made as [Row, Row];
});

const idsOf = ({ items }: Page) => items.map(({ id }) => id);
const search = (list: string, query: Record<string, string>) =>
  expectJson<Page>(200, server, 'GET', `/api/${list}?${new URLSearchParams(query)}`);

describe('search', () => {
  test('deliveries are found by event, external id, sender, text and time', async () => {
    const found = async (query: Record<string, string>) => idsOf(await search('deliveries', query));
    const both = [second.id, first.id];
    expect(await found({ event: first.event_type })).toEqual(both);
    expect(await found({ event: `${first.event_type.split('.')[0]}.*` })).toEqual(both);
    expect(await found({ event: 'issues.*' })).toEqual([]);
    expect(await found({ external_id: first.external_id })).toEqual(both);
    expect(await found({ external_id: 'github:no/where#1' })).toEqual([]);
    expect(await found({ sender: `@${first.sender.toUpperCase()}` })).toEqual(both);
    expect(await found({ text: '"GRÖSSE"' })).toEqual([]);
    expect(await found({ text: 'the "größe"' })).toEqual([first.id]);
    expect(await found({ text: first.external_id })).toEqual(both);
    expect(await found({ since: second.received_at })).toEqual([second.id]);
    expect(await found({ until: first.received_at, event: '*' })).toEqual([first.id]);
    expect((await search('deliveries', { sender: first.sender, limit: '1' })).next_cursor).toBe(second.id);
    expect((await ask(server, 'GET', '/api/deliveries?since=soon')).status).toBe(400);
  });

  test('tasks are found by what the delivery was that made them, and by their texts', async () => {
    const tasks = await search('tasks', {});
    const found = async (query: Record<string, string>) => idsOf(await search('tasks', query));
    expect(tasks.items).toHaveLength(2);
    expect(await found({ event: first.event_type, sender: first.sender })).toEqual(idsOf(tasks));
    expect(await found({ sender: 'someone-else' })).toEqual([]);
    expect(await found({ text: 'größe' })).toEqual([tasks.items[1]?.id]);
    expect(await found({ external_id: tasks.items[0]?.external_id ?? '' })).toEqual(idsOf(tasks));
    expect(await found({ since: tasks.items[0]?.created_at ?? '' })).toEqual([tasks.items[0]?.id]);
    expect(await found({ agent: 'no-agent' })).toEqual([]);
  });

  test('the lists of the CLI take the same filters', async () => {
    const { sandbox } = server;
    const ids = async (...args: string[]) => (await cliJson<Row[]>(sandbox, ...args)).map(({ id }) => id);
    const filters = ['--event', first.event_type, '--sender', first.sender, '--since', '1h'];
    expect(await ids('delivery', 'list', ...filters, '--text', 'größe')).toEqual([first.id]);
    expect(await ids('task', 'list', ...filters)).toHaveLength(2);
    expect(await ids('task', 'list', '--external-id', 'github:no/where#1')).toEqual([]);
    const page = await cli(sandbox, 'delivery', 'list', '--sender', first.sender, '--limit', '1');
    expect(page.stderr).toContain('1 of 2; next page: hookctl delivery list --sender');
    const wrong = await cli(sandbox, 'task', 'list', '--until', 'soon');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--until soon is not a time')]);
  });
});
