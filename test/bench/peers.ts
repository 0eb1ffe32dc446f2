import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { request } from 'undici';
import type { Bench } from './bench.ts';
import { here, SECRET } from './load.ts';

/** A server that hookctl is measured against. */
export interface Peer {
  readonly pid: number;
  readonly origin: string;
  readonly path: string;
}

/** It, or why it is not here. */
export type Found<T> = { readonly ok: true; readonly peer: T } | { readonly ok: false; readonly why: string };

/** The least that a receiver can do: read, verify, parse, 202. It stores nothing. */
export async function baseline({ programs }: Bench): Promise<Peer> {
  const command = [process.execPath, here('programs/baseline.ts'), SECRET];
  const { ready, pid } = await programs.listen({ side: 'server', command });
  return { pid, origin: `http://127.0.0.1:${ready.port}`, path: '/webhooks/github' };
}

/** `@octokit/webhooks`' middleware, or Probot with its logs off; no handler listens. */
export async function octokitPeer(bench: Bench, name: 'octokit' | 'probot'): Promise<Found<Peer>> {
  const missing = installPeers(bench);
  if (missing !== null) return { ok: false, why: missing };
  const command = [process.execPath, here(`peers/${name}.js`), SECRET];
  const start = { side: 'server', command, env: { LOG_LEVEL: 'fatal' } } as const;
  const { ready, pid } = await bench.programs.listen(start);
  return { ok: true, peer: { pid, origin: `http://127.0.0.1:${ready.port}`, path: '/api/github/webhooks' } };
}

/** adnanh/webhook: `fires` starts /bin/true for each request; else its rule is asked and does not fit. */
export async function adnanh(bench: Bench, fires: boolean): Promise<Found<Peer>> {
  const program = adnanhProgram(bench);
  if (!program.ok) return program;
  const port = await freePort();
  const hooks = join(bench.place(fires ? 'adnanh-fires' : 'adnanh'), 'hooks.json');
  writeFileSync(hooks, JSON.stringify([hook(fires)]));
  const command = [program.peer, '-hooks', hooks, '-ip', '127.0.0.1', '-port', String(port)];
  const { pid } = bench.programs.start({ side: 'server', command });
  const origin = `http://127.0.0.1:${port}`;
  await answers(origin);
  return { ok: true, peer: { pid, origin, path: '/hooks/bench' } };
}

function hook(fires: boolean) {
  const signed = {
    match: {
      type: 'payload-hmac-sha256',
      secret: SECRET,
      parameter: { source: 'header', name: 'X-Hub-Signature-256' },
    },
  };
  const value = fires ? 'labeled' : 'never';
  const fits = { match: { type: 'value', value, parameter: { source: 'payload', name: 'action' } } };
  return { id: 'bench', 'execute-command': '/bin/true', 'trigger-rule': { and: [signed, fits] } };
}

/** The file of a published CLI. */
export function peerCli(bench: Bench, name: 'probot' | 'smee'): Found<string> {
  const missing = installPeers(bench);
  const peer = here(
    name === 'probot' ? 'node_modules/probot/bin/probot.js' : 'node_modules/smee-client/bin/smee.js',
  );
  return missing === null ? { ok: true, peer } : { ok: false, why: missing };
}

/** Installs the packages of this folder; returns why that did not work, or null. */
function installPeers({ say }: Bench): string | null {
  if (existsSync(here('node_modules/probot')) && existsSync(here('node_modules/smee-client'))) return null;
  say('installing what hookctl is measured against');
  const npm = ['ci', '--prefix', here('.'), '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status, stderr } = spawnSync('npm', npm, { encoding: 'utf8' });
  return status === 0 ? null : `npm could not install it: ${stderr.trim().split('\n').at(-1)}`;
}

/** Version 2.8 from the PATH, or unpacked from Debian's package; nothing is installed in the system. */
export function adnanhProgram(bench: Pick<Bench, 'folder' | 'say'>): Found<string> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, 'webhook')).find((path) => existsSync(path));
  const program = found ?? unpackDebian(bench);
  if (program === null) return { ok: false, why: 'there is no `webhook` on the PATH and none from apt-get' };
  const version = spawnSync(program, ['-version'], { encoding: 'utf8' }).stdout ?? '';
  return version.includes('2.8')
    ? { ok: true, peer: program }
    : { ok: false, why: `${program} is ${version.trim() || 'no adnanh/webhook'}, not 2.8` };
}

function unpackDebian({ folder, say }: Pick<Bench, 'folder' | 'say'>): string | null {
  const place = join(folder, 'debian');
  const program = join(place, 'usr/bin/webhook');
  if (existsSync(program)) return program;
  try {
    mkdirSync(place, { recursive: true });
    say('fetching adnanh/webhook from Debian');
    execFileSync('apt-get', ['download', 'webhook'], { cwd: place, stdio: 'ignore' });
    const [deb = ''] = readdirSync(place).filter((name) => name.endsWith('.deb'));
    execFileSync('dpkg-deb', ['-x', join(place, deb), place], { stdio: 'ignore' });
    return existsSync(program) ? program : null;
  } catch {
    return null;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

async function answers(origin: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await (await request(origin)).body.dump();
      return;
    } catch (error) {
      if (attempt > 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
