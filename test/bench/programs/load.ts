import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Load, LoadOptions } from '../load.ts';

/** Posts signed copies of a payload and prints what it saw, as JSON. */
const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
const { origin, path, secret, requests, connections, perSecond } = options;

/** More would not fit into memory; they are signed between two rounds, while nothing is measured. */
const AT_ONCE = 10_000;

interface Payload {
  readonly issue: { readonly number: number };
}

const pool = new Pool(origin, { connections });
const payload = JSON.parse(readFileSync(options.payload, 'utf8')) as Payload;
const latencies: number[] = [];
let accepted = 0;
let made = 0;
let seconds = 0;

function signed() {
  // Each about an issue of its own: what concerns one and the same is worked off one by one.
  const issue = { ...payload.issue, number: ((process.pid % 20_000) + 1) * 100_000 + ++made };
  const body = Buffer.from(JSON.stringify({ ...payload, issue, bench: randomUUID() }));
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'issues',
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  };
  return { path, method: 'POST' as const, headers, body };
}

type Request = ReturnType<typeof signed>;

async function send(request: Request, since: number): Promise<void> {
  const { statusCode, body } = await pool.request(request);
  await body.dump();
  latencies.push(performance.now() - since);
  if (statusCode >= 200 && statusCode < 300) accepted += 1;
}

async function asFastAsAnswered(waiting: Request[]): Promise<void> {
  const connection = async () => {
    for (let request = waiting.pop(); request !== undefined; request = waiting.pop()) {
      await send(request, performance.now());
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
}

/** A late answer delays no other request, and counts from the moment when its request was due. */
async function atEvenDistance(waiting: Request[]): Promise<void> {
  const start = performance.now();
  const sent = waiting.map(async (request, index) => {
    const due = start + (index * 1_000) / perSecond;
    await delay(due - performance.now());
    await send(request, due);
  });
  await Promise.all(sent);
}

for (let left = requests; left > 0; left -= AT_ONCE) {
  const waiting = Array.from({ length: Math.min(left, AT_ONCE) }, signed);
  const start = performance.now();
  await (perSecond > 0 ? atEvenDistance(waiting) : asFastAsAnswered(waiting));
  seconds += (performance.now() - start) / 1_000;
}
await pool.close();
const seen: Load = { accepted, seconds, perSecond: accepted / seconds, latencies };
process.stdout.write(JSON.stringify(seen));
