import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { failure, type HookctlError } from '../../errors.ts';

/** The state `LISTEN` in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = '0A';

/**
 * The process that listens on a TCP port, as `node (pid 4711)`; null where the system does not tell (another
 * user's process, or no /proc).
 */
async function portOwner(port: number): Promise<string | null> {
  const inodes = (await Promise.all(['tcp', 'tcp6'].map((table) => listeners(table, port)))).flat();
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of inodes.length === 0 ? [] : pids) {
    if (await holdsOneOf(pid, inodes)) {
      return `${await nameOf(pid)} (pid ${pid})`;
    }
  }
  return null;
}

/** The first words of its command line, without folders: `node hookctl.js serve`. */
async function nameOf(pid: string): Promise<string> {
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').filter(Boolean);
  return (
    words
      .slice(0, 3)
      .map((word) => basename(word))
      .join(' ') || 'a process'
  );
}

async function listeners(table: string, port: number): Promise<readonly string[]> {
  const rows = (await readFile(`/proc/net/${table}`, 'utf8').catch(() => '')).split('\n');
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(suffix) && columns[3] === LISTEN)
    .map((columns) => `socket:[${columns[9]}]`);
}

async function holdsOneOf(pid: string, inodes: readonly string[]): Promise<boolean> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  return links.some((link) => inodes.includes(link));
}

/** Starts to listen; resolves with the port, which the system chose when 0 was asked for. Rejects with Node's error. */
export function listen(
  server: Server,
  options: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...options, exclusive: true }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Takes no more connections, lets running requests end, and resolves when the last is gone. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

/** Where a server is to listen, and the flag by which the user chooses another port. */
interface ListenAddress {
  readonly host: string;
  readonly port: number;
  readonly flag: string;
}

/** Starts to listen; resolves with the port. Throws `port_in_use` naming who has it, or `listen`. */
export async function listenOrExplain(server: Server, place: ListenAddress): Promise<number> {
  try {
    return await listen(server, place);
  } catch (error) {
    throw await explain(error, place);
  }
}

/** Stops accepting and resolves when the last request has ended; after `graceMs` what is open is cut. */
export async function closeGently(servers: readonly Server[], graceMs: number): Promise<void> {
  const cut = setTimeout(() => {
    for (const server of servers) server.closeAllConnections();
  }, graceMs);
  await Promise.all(servers.map(closeServer));
  clearTimeout(cut);
}

async function explain(error: unknown, { host, port, flag }: ListenAddress): Promise<HookctlError> {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE') {
    const facts = { cause: error, fix: `Choose another with ${flag}.` };
    return failure('listen', `can't listen on ${host}:${port}: ${message}`, facts);
  }
  const owner = await portOwner(port);
  return failure('port_in_use', `port ${port} is taken${owner === null ? '' : ` by ${owner}`}`, {
    fix: `Choose another port: ${flag} ${port + 100}`,
  });
}
