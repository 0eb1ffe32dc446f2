import { expect, test } from 'vitest';
import { readServerSentEvents, type ServerSentEvent } from '../../src/lib/http/sse.ts';

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(
  text: string,
  size = text.length,
  maxLength = 1_000,
): Promise<readonly ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of readServerSentEvents(inPieces(text, size), { maxLength })) events.push(event);
  return events;
}

const STREAM =
  '\uFEFF: a comment\n\nid: 0\nevent: ready\ndata: {}\n\n: keepalive\r\n\r\ndata: é – 🎉\r\rid: 7\r\ndata:one\r\ndata:  two\r\nretry: 9\r\n\r\n' +
  'event: nothing\n\ndata\n\nid\ndata: end\n\ndata: cut off\n';

const EVENTS = [
  { event: 'ready', data: '{}', id: '0' },
  { event: 'message', data: 'é – 🎉', id: '0' },
  { event: 'message', data: 'one\n two', id: '7' },
  { event: 'message', data: '', id: '7' },
  { event: 'message', data: 'end', id: '' },
];

test.each([1, 2, 3, 5, 1_000])(
  'reads each event once, however the network cuts the stream (%i bytes)',
  async (size) => {
    expect(await read(STREAM, size)).toEqual(EVENTS);
  },
);

test('an id with NUL is passed over', async () => {
  expect(await read('id: 1\nid: 2\0\ndata: x\n\n')).toEqual([{ event: 'message', data: 'x', id: '1' }]);
});

test('an event that never ends cannot fill the memory, in one line or in many', async () => {
  await expect(read('data: '.padEnd(5_000, 'x'), 100)).rejects.toThrow('more than 1000 characters');
  await expect(read('data: xxxxxxxx\n'.repeat(500), 100)).rejects.toThrow('more than 1000 characters');
});

test('every chunk is a sign of life, comments too', async () => {
  let chunks = 0;
  const onBytes = () => {
    chunks += 1;
  };
  const events = readServerSentEvents(inPieces(': keepalive\n\n', 4), { maxLength: 100, onBytes });
  expect(await events.next()).toEqual({ done: true, value: undefined });
  expect(chunks).toBe(4);
});
