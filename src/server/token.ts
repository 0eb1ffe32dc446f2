import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireOwnFolder } from '../config/project/locate.ts';
import { writeFileAtomic } from '../lib/files/atomic-file.ts';
import { secret } from '../lib/redact/secret.ts';
import type { Secret } from '../types.ts';

/**
 * The management token of a data folder (256 bits, a 0600 file); null when none was made yet. Throws ConfigError when
 * others may look into the folder.
 */
export async function readToken(dataFolder: string): Promise<Secret | null> {
  requireOwnFolder(dataFolder);
  const text = await readFile(tokenPath(dataFolder), 'utf8').catch(() => '');
  return text.trim() === '' ? null : secret(text.trim());
}

/** The token, made now if there is none. */
export async function ensureToken(dataFolder: string): Promise<Secret> {
  const existing = await readToken(dataFolder);
  if (existing !== null) return existing;
  const text = randomBytes(32).toString('hex');
  await writeFileAtomic(tokenPath(dataFolder), `${text}\n`);
  return secret(text);
}

function tokenPath(dataFolder: string): string {
  return join(dataFolder, 'token');
}
