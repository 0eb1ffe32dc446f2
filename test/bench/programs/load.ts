import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

/** Posts signed copies of a real payload over 50 connections and prints what it saw, as JSON. */
const [, , origin = '', path = '', secret = '', count = '0', payloadFile = ''] = process.argv;
const CONNECTIONS = 50;

const pool = new Pool(origin, { connections: CONNECTIONS });
const payload = JSON.parse(readFileSync(payloadFile, 'utf8')) as Record<string, unknown>;
const requests = Array.from({ length: Number(count) }, signed);

function signed() {
  const body = Buffer.from(JSON.stringify({ ...payload, bench: randomUUID() }));
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'issues',
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  };
  return { path, method: 'POST' as const, headers, body };
}

let accepted = 0;
const latencies: number[] = [];
async function connection(): Promise<void> {
  for (let request = requests.pop(); request !== undefined; request = requests.pop()) {
    const start = performance.now();
    const { statusCode, body } = await pool.request(request);
    await body.dump();
    latencies.push(performance.now() - start);
    if (statusCode === 202) accepted += 1;
  }
}

const start = performance.now();
await Promise.all(Array.from({ length: CONNECTIONS }, connection));
const seconds = (performance.now() - start) / 1_000;
await pool.close();
const sorted = latencies.toSorted((left, right) => left - right);
const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
process.stdout.write(
  JSON.stringify({ accepted, perSecond: accepted / seconds, p50: at(0.5), p99: at(0.99) }),
);
