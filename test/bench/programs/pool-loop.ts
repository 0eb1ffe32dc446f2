import { Pool } from 'undici';
import type { LoadOptions } from '../load.ts';
import { signer } from './signed.ts';

/** What anybody would write to send many requests: a loop over undici's `Pool`. */
const { origin, path, secret, payload, requests, connections } = JSON.parse(
  process.argv[2] ?? '{}',
) as LoadOptions;

const pool = new Pool(origin, { connections });
const waiting = Array.from({ length: requests }, signer(payload, secret));

async function connection(): Promise<void> {
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { body } = await pool.request({ ...next, path, method: 'POST' });
    await body.dump();
  }
}

await Promise.all(Array.from({ length: connections }, connection));
await pool.close();
