import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';

/** The state `LISTEN` in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = '0A';

/**
 * The process that listens on a TCP port, as `node (pid 4711)`; null where the system does not tell (another
 * user's process, or no /proc).
 */
export async function portOwner(port: number): Promise<string | null> {
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
