import { request } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readServerSentEvents } from '../../src/lib/http/sse.ts';
import { type Feed, openFeed } from '../../src/server/live/feed.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { ask } from '../support/management.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { type Server, serverForTest, settled, startServe, tokenOf } from '../support/server.ts';

interface Live {
  readonly id: string;
  readonly data: { readonly type: string; readonly id?: string; readonly status?: string };
}

/** Reads the stream of a server until the test ends. */
function follow(server: Server, query = ''): { readonly events: Live[]; readonly close: () => void } {
  const events: Live[] = [];
  const headers = { authorization: `Bearer ${tokenOf(server.sandbox)}` };
  const sent = request(`${server.managementUrl}/api/events${query}`, { headers, agent: false });
  sent.on('response', async (answer) => {
    try {
      for await (const { id, data } of readServerSentEvents(answer, { maxLength: 10_000_000 }))
        events.push({ id, data: JSON.parse(data) });
    } catch {
      // The server or the test ended it.
    }
  });
  sent.on('error', () => undefined).end();
  onTestFinished(() => void sent.destroy());
  return { events, close: () => sent.destroy() };
}

const deliveries = ({ events }: { readonly events: readonly Live[] }) =>
  events.filter(({ data }) => data.type === 'delivery').map(({ data }) => [data.id, data.status]);

describe('GET /api/events', () => {
  test('names a delivery and its task without being asked again, and goes on after an id', async () => {
    const server = await serverForTest(await sandboxForTest());
    const live = follow(server);
    await eventually('open', () => live.events.length > 0);
    const { id } = await signedPost(server.url, comment('@agent analyze this'));
    await eventually('the task', () => live.events.some(({ data }) => data.type === 'task'));
    expect(deliveries(live)).toEqual([
      [id, 'pending'],
      [id, 'processed'],
    ]);
    const [, received] = live.events;
    live.close();
    const resumed = follow(server, `?after=${received?.id}`);
    await eventually('the rest', () => resumed.events.some(({ data }) => data.type === 'task'));
    expect(deliveries(resumed)).toEqual([[id, 'processed']]);
    const wanted = follow(server, `?after=${received?.id}&types=task`);
    await eventually('one task', () => wanted.events.length > 0);
    expect(wanted.events.map(({ data }) => data.type)).toEqual(['task']);
  });

  test('goes on after an id of a server that has ended since, from the rows', async () => {
    const sandbox = await sandboxForTest();
    const first = await startServe(sandbox);
    const live = follow(first);
    await eventually('open', () => live.events.length > 0);
    live.close();
    const { id } = await signedPost(first.url, comment('@agent analyze this'));
    await settled(sandbox, id);
    await first.stop();
    const second = await serverForTest(sandbox);
    const resumed = follow(second, `?after=${live.events[0]?.id}`);
    await eventually('the open event', () => resumed.events.some(({ data }) => data.type === 'open'));
    expect(deliveries(resumed)).toEqual([[id, 'processed']]);
    expect(resumed.events.map(({ data }) => data.type)).toContain('task');
  });

  test('refuses an id and a type that it does not know, and a reader without the token', async () => {
    const server = await serverForTest(await sandboxForTest());
    expect((await ask(server, 'GET', '/api/events?after=soon')).status).toBe(400);
    expect((await ask(server, 'GET', '/api/events?types=delivery,mood')).status).toBe(400);
    const host = ['host', `127.0.0.1:${server.managementPort}`];
    expect((await ask(server, 'GET', '/api/events', { rawHeaders: host })).status).toBe(401);
  });
});

describe('the memory of the stream', () => {
  const none = () => [];
  const store = {
    ...{ deliveries: none, tasks: none, runsSince: none, outbox: none, connections: none, audit: none },
    idBefore: () => null,
  };
  const problem = (number: number) => ({ type: 'problem', text: `${number}` }) as const;
  const openTest = (redact = (text: string) => text) => {
    const feed = openFeed({ store, now: () => 1_000, redact });
    onTestFinished(feed.close);
    return feed;
  };

  /** A reader that got the first event; reads on until a text comes. */
  async function readerOf(feed: Pick<Feed, 'read'>): Promise<(until: string) => Promise<string>> {
    const reader = feed.read({ after: null, types: [], owner: null, ended: null }).getReader();
    await reader.read();
    return async (until) => {
      let text = '';
      while (!text.includes(until)) text += (await reader.read()).value ?? '';
      return text;
    };
  }

  test('a reader that falls behind gets a gap and then what is new; another gets all', async () => {
    const feed = openTest();
    const [slow, quick] = [await readerOf(feed), await readerOf(feed)];
    let all = '';
    for (let thousand = 0; thousand < 6; thousand += 1) {
      for (let number = 0; number < 1_000; number += 1) feed.listen(problem(thousand * 1_000 + number));
      all += await quick(`"${thousand * 1_000 + 999}"`);
    }
    expect(all.match(/^data/gm)).toHaveLength(6_000);
    expect(all).not.toContain('"gap"');
    const late = slow('"last"');
    await eventually('the gap to be read', () => true);
    feed.listen({ type: 'problem', text: 'last' });
    const events = [...(await late).matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
    expect(events[0]).toEqual({ type: 'gap' });
    expect(events.at(-1)).toMatchObject({ type: 'state', of: 'problems', reason: 'last' });
    expect(events.length).toBeLessThan(3);
  });

  test('takes secrets out, and reads no event while no one listens', async () => {
    const seen: string[] = [];
    const feed = openTest((text) => {
      seen.push(text);
      return text.replaceAll('hunter2', '***');
    });
    feed.listen(problem(1));
    expect(seen).toEqual([]);
    const read = await readerOf(feed);
    feed.listen({ type: 'problem', text: 'hunter2 is over' });
    expect(await read('is over')).toContain('"reason":"*** is over"');
  });
});
