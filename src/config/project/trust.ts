import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { isJsonObject } from '../../lib/json.ts';
import { shellQuote } from '../../lib/shell-quote.ts';

/*
 * Whose files count. A webhooks.yml decides what runs, and its modules are run: taken from a folder that another user
 * can write to, they would be that user's way to run programs as this one.
 */

/** Whom a run belongs to. */
interface TrustPlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
}

/** Where the trusted folders are kept: a file of the user's own (0600), outside of any project and data folder. */
export function trustFile({ env, home }: TrustPlaces): string {
  return join(env.XDG_CONFIG_HOME || join(home, '.config'), 'hookctl', 'trusted.json');
}

/** The folders that the user said yes to; none when the list itself could have been written by another user. */
export function trustedFolders(places: TrustPlaces): readonly string[] {
  const file = trustFile(places);
  try {
    if (ownershipProblem(file) !== null) return [];
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const folders = isJsonObject(content) ? content.folders : [];
    return Array.isArray(folders) ? folders.filter((it): it is string => typeof it === 'string') : [];
  } catch {
    return [];
  }
}

export async function keepTrustedFolders(places: TrustPlaces, folders: readonly string[]): Promise<void> {
  const file = trustFile(places);
  // Every command reads the list, and few write it.
  const { writeFileAtomic } = await import('../../lib/files/atomic-file.ts');
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFileAtomic(file, `${JSON.stringify({ folders: [...new Set(folders)].sort() }, null, 2)}\n`);
}

/**
 * Why a file of a project does not count; null when it does: it and its folder belong to this user or to root and others
 * cannot write to them, or the user trusts the folder or one above. Links are followed, and what they lead to is judged
 * as well.
 */
export function trustProblem(file: string, trusted: readonly string[]): string | null {
  const real = realpathSync(file);
  if (
    trusted.some((folder) => real === folder || real.startsWith(folder.endsWith(sep) ? folder : folder + sep))
  ) {
    return null;
  }
  return ownershipProblem(file) ?? (real === file ? null : ownershipProblem(real));
}

/** What to type to say yes to a file. */
export function howToTrust(file: string): string {
  return `If you trust it: hookctl trust ${shellQuote(dirname(realpathSync(file)))}`;
}

function ownershipProblem(file: string): string | null {
  for (const path of [file, dirname(file)]) {
    const problem = problemOf(statSync(path));
    if (problem !== null) return path === file ? `it ${problem}` : `its folder ${path} ${problem}`;
  }
  return null;
}

function problemOf({ uid, gid, mode }: Stats): string | null {
  const own = process.getuid?.();
  if (own === undefined) return null;
  if (uid !== own && uid !== 0) return `belongs to another user (uid ${uid})`;
  if ((mode & 0o002) !== 0) return 'can be written by every user';
  if ((mode & 0o020) !== 0 && !isPrivateGroup(gid)) return `can be written by group ${gid}`;
  return null;
}

/** A group that is one user's alone, as many systems make it (umask 002); root's group may have others in it. */
function isPrivateGroup(gid: number): boolean {
  if (gid === 0 || gid !== process.getgid?.()) return false;
  try {
    const lines = (file: string) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .map((line) => line.split(':'));
    const users = lines('/etc/passwd').filter((fields) => Number(fields[3]) === gid && fields[3] !== '');
    const group = lines('/etc/group').find((fields) => Number(fields[2]) === gid && fields[2] !== '');
    const names = new Set([...users.map(([name]) => name), ...(group?.[3] ?? '').split(',')].filter(Boolean));
    return users.length === 1 && names.size === 1;
  } catch {
    return false;
  }
}
