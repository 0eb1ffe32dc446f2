import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** A PostgreSQL server of the test's own, on a port of this machine, as an ordinary user. */
export interface PostgresServer {
  readonly url: string;
  /** Ends it: at once with what is on disk (`immediate`, as a crash), or in order. */
  stop(how?: 'immediate' | 'fast'): Promise<void>;
  /** Starts it again with the same data. Resolves when it answers. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

const DEBIAN = '/usr/lib/postgresql';

/** The folder of `initdb` and `postgres`, of the newest version that is installed; null without one. */
export function postgresPrograms(): string | null {
  const installed = existsSync(DEBIAN)
    ? readdirSync(DEBIAN)
        .map(Number)
        .toSorted((a, b) => b - a)
    : [];
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...installed.map((version) => join(DEBIAN, String(version), 'bin')),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** PostgreSQL refuses to run as root. */
function ordinaryUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const numberOf = (kind: string) => Number(execFileSync('id', [kind, 'nobody'], { encoding: 'utf8' }));
  return { uid: numberOf('-u'), gid: numberOf('-g') };
}

const PATIENCE_MS = 30_000;

/** `settings`: of postgresql.conf. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const programs = postgresPrograms();
  if (programs === null) throw new Error('initdb is not installed');
  const user = ordinaryUser();
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-postgres-'));
  chmodSync(folder, 0o700);
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  const made = ['-D', data, '-U', 'hookctl', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
  execFileSync(join(programs, 'initdb'), made, { ...user, env, stdio: 'ignore', cwd: folder });
  const port = await freePort();
  const url = `postgres://hookctl@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | null = null;

  async function start(): Promise<void> {
    const options = ['listen_addresses=127.0.0.1', `port=${port}`, 'max_connections=200', ...settings];
    const args = ['-D', data, '-k', folder, ...options.flatMap((option) => ['-c', option])];
    const program = join(programs ?? '', 'postgres');
    const started = spawn(program, args, { ...user, env, stdio: 'ignore', cwd: folder });
    server = started;
    for (const deadline = Date.now() + PATIENCE_MS; ; await pause(50)) {
      if (await answers(url)) return;
      if (started.exitCode !== null || Date.now() > deadline) throw new Error('PostgreSQL did not start');
    }
  }

  async function stop(how: 'immediate' | 'fast' = 'fast'): Promise<void> {
    const ending = server;
    server = null;
    if (ending === null || ending.exitCode !== null) return;
    ending.kill(how === 'immediate' ? 'SIGQUIT' : 'SIGINT');
    await once(ending, 'exit');
  }

  await start();
  return {
    url,
    start,
    stop,
    async remove() {
      await stop('immediate');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}
