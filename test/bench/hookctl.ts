import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import type { Bench } from './bench.ts';
import { hookctlBinary } from './builds.ts';
import { payload, SECRET } from './load.ts';
import type { Ended, Listening, Side } from './programs.ts';

const PATIENCE_MS = 300_000;

/** A user of hookctl with folders of their own. */
export interface User {
  readonly project: string;
  readonly data: string;
  readonly claude: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Serving extends Listening {
  readonly origin: string;
  /** From the start of the process to its ready line, in milliseconds. */
  readonly startMs: number;
  /** An answer of the management API. */
  get<T>(path: string): Promise<T>;
}

/** `yaml`: what stands in webhooks.yml. */
export function makeUser(bench: Bench, name: string, yaml = '{}\n'): User {
  const root = bench.place(name);
  const [home = '', project = '', data = '', claude = ''] = ['home', 'project', 'data', 'claude'].map(
    (each) => join(root, each),
  );
  for (const folder of [home, project, claude]) mkdirSync(folder);
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(join(project, 'webhooks.yml'), yaml);
  const env = { HOME: home, HOOKCTL_HOME: data, CLAUDE_CONFIG_DIR: claude, GITHUB_WEBHOOK_SECRET: SECRET };
  return { project, data, claude, env };
}

/** What becomes of every `issues.labeled` of the bench. */
function labeled(action: string): string {
  return `
webhooks:
  github:
    allow: { users: ['${payload().sender.id}'] }
    commands:
      - { name: analyze, template: 'Analyze {{@event.title}}' }
      - { trigger: issues.labeled, ${action} }
`;
}

/** One task of each. */
export const TASK_COMMAND = labeled("template: 'Look at {{@event.title}}'");
/** A program that holds up all that comes after it, so that what is accepted stays to be done. */
export const SLOW_COMMAND = labeled("action: run, options: { program: sleep, args: ['30'] }");

interface ServeOptions {
  /** Options of Node. */
  readonly node?: readonly string[];
  readonly side?: Side;
  /** The CLI of another build. */
  readonly binary?: string;
}

export async function serve(
  bench: Bench,
  user: User,
  { node = [], side = 'server', binary = hookctlBinary(bench) }: ServeOptions = {},
): Promise<Serving> {
  const ports = ['--port', '0', '--management-port', '0'];
  const command = [process.execPath, ...node, binary, 'serve', '--json', '--quiet', ...ports];
  const begin = performance.now();
  const listening = await bench.programs.listen(
    { side, command, cwd: user.project, env: user.env },
    ({ type }) => type === 'ready',
  );
  const startMs = performance.now() - begin;
  const { ingress_url: origin, management_url: management } = listening.ready;
  const token = readFileSync(join(user.data, 'token'), 'utf8').trim();
  return {
    ...listening,
    origin: String(origin),
    startMs,
    async get<T>(path: string) {
      const { statusCode, body } = await request(`${management}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (statusCode !== 200) throw new Error(`${path} was answered ${statusCode}: ${await body.text()}`);
      return (await body.json()) as T;
    },
  };
}

/** Runs one command of the CLI. Throws when it fails. */
export async function cli(bench: Bench, user: User, ...args: readonly string[]): Promise<Ended> {
  const command = [process.execPath, hookctlBinary(bench), ...args];
  const ended = await bench.programs.run({ side: 'generator', command, cwd: user.project, env: user.env });
  if (ended.code === 0) return ended;
  throw new Error(`hookctl ${args.join(' ')} ended with ${ended.code}: ${ended.stderr}`);
}

/** How many of what was accepted are not worked off. */
export async function depthOf({ get }: Serving): Promise<number> {
  return (await get<{ server: { queue_depth: number } }>('/api/status')).server.queue_depth;
}

/** Waits until everything that was accepted is worked off. */
export async function idle(server: Serving): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while ((await depthOf(server)) > 0) {
    if (performance.now() > deadline) throw new Error(`hookctl is not idle after ${PATIENCE_MS / 1_000} s`);
    // A look costs the server time that counts.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Name and endpoint of one of many dynamic webhooks. */
export function webhookNumber(index: number): { readonly name: string; readonly endpoint: string } {
  return { name: `bench ${index}`, endpoint: `/webhooks/github/${idOf(index)}` };
}

/** Puts so many dynamic webhooks, each with two commands, into the folder of a user without a server. */
export function writeWebhooks({ data }: User, count: number): void {
  const at = '2026-01-31T12:00:00.000Z';
  const webhooks = Array.from({ length: count }, (_, index) => ({
    webhook_id: idOf(index),
    provider: 'github',
    ...webhookNumber(index),
    secrets: [{ value: SECRET }],
    commands: [
      { id: `cmd-${index}-1`, name: 'analyze', template: 'Analyze {{issue.title}}' },
      {
        id: `cmd-${index}-2`,
        trigger: 'issues.opened',
        conditions: { 'issue.labels.name': 'bug' },
        template: 'Look at {{issue.title}}',
      },
    ],
    created_at: at,
    updated_at: at,
  }));
  const text = JSON.stringify({ schema_version: 1, webhooks }, null, 2);
  writeFileSync(join(data, 'webhooks.json'), `${text}\n`, { mode: 0o600 });
}

function idOf(index: number): string {
  return `wh-bench${String(index).padStart(6, '0')}`;
}
