import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.ts';

export const SECRET = 'bench-secret';

/** What the generator is told. */
export interface LoadOptions {
  readonly origin: string;
  readonly path: string;
  readonly secret: string;
  /** File of the payload; each request has an id of its own in it. */
  readonly payload: string;
  readonly requests: number;
  readonly connections: number;
  /** Requests a second at even distance; 0: as fast as they are answered. */
  readonly perSecond: number;
}

export interface Load {
  /** Answered with a 2xx. */
  readonly accepted: number;
  /** When the first request left, epoch milliseconds. */
  readonly startedAt: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Of each answer, in milliseconds. */
  readonly latencies: readonly number[];
}

type Wishes = Pick<LoadOptions, 'origin' | 'requests'> & Partial<LoadOptions>;

/** A file next to this one. */
export function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** A real `issues.labeled` payload of GitHub; no command of the built-in webhook fires on it. */
export function payloadFile({ folder }: Pick<Bench, 'folder'>): string {
  const path = join(folder, 'payload.json');
  writeFileSync(path, JSON.stringify(payload()));
  return path;
}

export function payload(): { readonly sender: { readonly id: number } } {
  const file = createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json');
  const all = JSON.parse(readFileSync(file, 'utf8')) as { name: string; examples: { action?: string }[] }[];
  const issues = all.find(({ name }) => name === 'issues')?.examples ?? [];
  const labeled = issues.find(({ action }) => action === 'labeled');
  if (labeled === undefined) throw new Error('the published examples have no issues.labeled any more');
  return labeled as unknown as ReturnType<typeof payload>;
}

/** As `load`, by a loop over undici's `Pool`, which is what a user would write; `origin` counts. */
export async function poolLoop(bench: Bench, wishes: Wishes): Promise<void> {
  const options = { path: '/', secret: SECRET, payload: payloadFile(bench), connections: 50, ...wishes };
  const command = [process.execPath, here('programs/pool-loop.ts'), JSON.stringify(options)];
  const { code, stderr } = await bench.programs.run({ side: 'generator', command });
  if (code !== 0) throw new Error(`the loop failed: ${stderr}`);
}

/** Sends signed copies of the payload. Throws when one of them is not answered with a 2xx. */
export async function load(bench: Bench, wishes: Wishes): Promise<Load> {
  const options: LoadOptions = {
    path: '/webhooks/github',
    secret: SECRET,
    payload: payloadFile(bench),
    connections: 50,
    perSecond: 0,
    ...wishes,
  };
  const command = [process.execPath, here('programs/load.ts'), JSON.stringify(options)];
  const { stdout, stderr } = await bench.programs.run({ side: 'generator', command });
  if (stdout === '') throw new Error(`the generator failed: ${stderr}`);
  const done = JSON.parse(stdout) as Load;
  if (done.accepted === options.requests) return done;
  throw new Error(`${options.origin} took ${done.accepted} of ${options.requests}`);
}
