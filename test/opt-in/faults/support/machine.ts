import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasProgram } from '../../dynamic-support.ts';

/** Each says what is missing and how to get it; null when it is there. */

export function lacksStrace(): string | null {
  if (!hasProgram('strace')) return 'strace is missing (apt-get install strace)';
  const { status, stderr } = spawnSync('strace', ['-o', '/dev/null', 'true'], { encoding: 'utf8' });
  return status === 0 ? null : `strace may not trace here: ${stderr.trim()} (allow ptrace, or run as root)`;
}

export function lacksMounts(): string | null {
  if (process.platform !== 'linux') return 'Linux’s mount (run it in a Linux virtual machine)';
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-mount-'));
  try {
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    if (status !== 0) return 'the right to mount a tmpfs (run it as root)';
    spawnSync('umount', [folder]);
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function lacksUlimit(): string | null {
  return spawnSync('sh', ['-c', 'ulimit -n 64']).status === 0 ? null : 'a shell with `ulimit -n`';
}

const NOBODY = 65_534;

/** The program, and its arguments, that starts others as a user for whom the modes of files count; none for those. */
export function asNobody(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  return ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
}

/** Gives a folder and all in it to that user. */
export function giveToNobody(folder: string): void {
  if (process.getuid?.() === 0) spawnSync('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
}

export function lacksOtherUser(): string | null {
  const [program, ...args] = [...asNobody(), process.execPath, '--version'];
  const { status } = spawnSync(program ?? '', args);
  return status === 0 ? null : `a user beside root that can run ${process.execPath} (run it as one)`;
}

/** Where Debian, Fedora, Arch and Homebrew on Linux put it. */
const FAKETIME_FOLDERS = [
  `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime`,
  '/usr/lib64/faketime',
  '/usr/lib/faketime',
  '/home/linuxbrew/.linuxbrew/lib/faketime',
];

/** libfaketime for programs with threads; null where it is not installed. */
export function faketimeLibrary(): string | null {
  const paths = FAKETIME_FOLDERS.map((folder) => join(folder, 'libfaketimeMT.so.1'));
  return paths.find((path) => existsSync(path)) ?? null;
}

export function lacksFaketime(): string | null {
  return faketimeLibrary() === null ? 'libfaketime is missing (apt-get install faketime)' : null;
}
