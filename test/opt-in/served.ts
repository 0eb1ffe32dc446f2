import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SECRET } from '../support/secret.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const PATIENCE_MS = 30_000;
const children: ChildProcess[] = [];

export interface Served {
  readonly ingress: string;
  readonly management: string;
  readonly token: string;
  readonly call: <T>(method: string, path: string, body?: unknown) => Promise<T>;
  readonly stop: () => Promise<void>;
}

interface ServeOptions {
  readonly managementPort?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the built CLI in a folder, with data of its own in it. */
export async function serve(
  folder: string,
  { managementPort = '0', env: more = {} }: ServeOptions = {},
): Promise<Served> {
  const dataFolder = join(folder, 'data');
  const env = {
    ...{ PATH: process.env.PATH ?? '', HOME: folder, HOOKCTL_HOME: dataFolder },
    ...{ CLAUDE_CONFIG_DIR: join(folder, 'claude'), GITHUB_WEBHOOK_SECRET: SECRET },
    ...more,
  };
  const args = [
    join(ROOT, 'bin/hookctl.js'),
    'serve',
    '--json',
    '--port',
    '0',
    '--management-port',
    managementPort,
  ];
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ready = await until('serve', async () => /"type":"ready".*/.exec(said)?.[0]);
  const management = /"management_url":"([^"]+)"/.exec(ready)?.[1] ?? '';
  const token = readFileSync(join(dataFolder, 'token'), 'utf8').trim();
  return {
    ...{ management, token, ingress: /"ingress_url":"([^"]+)"/.exec(ready)?.[1] ?? '' },
    async call(method, path, body) {
      const answer = await fetch(management + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return JSON.parse(await answer.text());
    },
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** Looks until there is something. Throws after a while. */
export async function until<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await delay(50);
  }
}

/** Ends those that this script started. */
export async function endServers(): Promise<void> {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
}
