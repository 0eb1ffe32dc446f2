import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import type { Bench } from './bench.ts';
import { here, payload, SECRET } from './load.ts';
import type { Ended, Listening, Side } from './programs.ts';

const ROOT = here('../..');

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
  /** Resident memory, in bytes. */
  resident(): number;
}

let binary: string | null = null;

/** hookctl as it is published: packed, with only the files that the package has. */
export function hookctlBinary({ folder }: Pick<Bench, 'folder'>): string {
  binary ??= unpack(folder);
  return binary;
}

function unpack(folder: string): string {
  const built = spawnSync(process.execPath, [join(ROOT, 'scripts/build.js')], { stdio: 'inherit' });
  if (built.status !== 0) throw new Error('hookctl does not compile');
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [packed] = JSON.parse(execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8' })) as {
    filename: string;
  }[];
  execFileSync('tar', ['-xzf', join(folder, packed?.filename ?? ''), '-C', folder]);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'package/node_modules'));
  return join(folder, 'package/bin/hookctl.js');
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

export interface ServeOptions {
  /** Options of Node. */
  readonly node?: readonly string[];
  readonly side?: Side;
}

export async function serve(
  bench: Bench,
  user: User,
  { node = [], side = 'server' }: ServeOptions = {},
): Promise<Serving> {
  const ports = ['--port', '0', '--management-port', '0'];
  const command = [process.execPath, ...node, hookctlBinary(bench), 'serve', '--json', '--quiet', ...ports];
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
    resident() {
      const file = `/proc/${listening.pid}/status`;
      if (!existsSync(file)) return Number.NaN;
      const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1];
      return Number(kilobytes) * 1024;
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

/** Waits until everything that was accepted is worked off. */
export async function idle({ get }: Serving): Promise<void> {
  for (;;) {
    const { server } = await get<{ server: { queue_depth: number } }>('/api/status');
    if (server.queue_depth === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
