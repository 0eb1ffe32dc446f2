import { setTimeout as delay } from 'node:timers/promises';
import type { Load, LoadOptions } from '../load.ts';
import { type Connection, openConnection } from './connection.ts';
import { post, signer } from './signed.ts';

/** Posts signed copies of a payload and prints what it saw, as JSON. */
const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
const { path, secret, requests, connections, perSecond } = options;
const origin = new URL(options.origin);

/** More would not fit into memory; they are signed between two rounds, while nothing is measured. */
const AT_ONCE = 10_000;

const sign = signer(options.payload, secret);
const latencies: number[] = [];
let accepted = 0;
let seconds = 0;
let startedAt = 0;

async function send(connection: Connection, request: Buffer, since: number): Promise<void> {
  const status = await connection.send(request);
  latencies.push(performance.now() - since);
  if (status >= 200 && status < 300) accepted += 1;
}

async function asFastAsAnswered(open: readonly Connection[], waiting: Buffer[]): Promise<void> {
  await Promise.all(
    open.map(async (connection) => {
      for (let request = waiting.pop(); request !== undefined; request = waiting.pop()) {
        await send(connection, request, performance.now());
      }
    }),
  );
}

/**
 * A late answer delays no other request, and counts from the moment when its request was due. A connection is opened when
 * all others are in use, as by senders who know nothing of each other.
 */
async function atEvenDistance(open: Connection[], waiting: readonly Buffer[]): Promise<void> {
  const start = performance.now();
  const sent = waiting.map(async (request, index) => {
    const due = start + (index * 1_000) / perSecond;
    await delay(due - performance.now());
    const connection = open.pop() ?? (await openConnection(origin));
    await send(connection, request, due);
    open.push(connection);
  });
  await Promise.all(sent);
}

const atOnce = perSecond > 0 ? 0 : connections;
const open = await Promise.all(Array.from({ length: atOnce }, () => openConnection(origin)));
for (let left = requests; left > 0; left -= AT_ONCE) {
  const waiting = Array.from({ length: Math.min(left, AT_ONCE) }, () => post(origin, path, sign()));
  const start = performance.now();
  if (startedAt === 0) startedAt = performance.timeOrigin + start;
  await (perSecond > 0 ? atEvenDistance(open, waiting) : asFastAsAnswered(open, waiting));
  seconds += (performance.now() - start) / 1_000;
}
for (const connection of open) connection.close();
const seen: Load = { accepted, startedAt, seconds, perSecond: accepted / seconds, latencies };
process.stdout.write(JSON.stringify(seen));
