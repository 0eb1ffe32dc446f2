import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireOwnFolder } from '../config/project/locate.ts';
import { writeFileAtomic } from '../lib/files/atomic-file.ts';
import { secret } from '../lib/redact/redact.ts';
import { escapeInvisibleLine } from '../lib/text/escape-invisible.ts';
import type { Actor, Secret } from '../types.ts';

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

/**
 * By this header the CLI names its user, so that the audit can distinguish a person at a terminal from a program with
 * the token. It is a claim: a holder of the token may write anything there, and may do anything anyway.
 */
const CLIENT_HEADER = 'x-hookctl-client';

const LONGEST = 100;

/** What the CLI sends; percent-encoded, because a user's name may hold what no header may. */
export function clientHeader({ name }: Actor): Readonly<Record<string, string>> {
  return { [CLIENT_HEADER]: encodeURIComponent(name) };
}

/** Who sent a request that had the token, by the header that the CLI adds. */
export function clientOf({ req }: { readonly req: { header(name: string): string | undefined } }): Actor {
  const client = decoded(req.header(CLIENT_HEADER) ?? '');
  return client === '' ? { kind: 'api', name: 'management token' } : { kind: 'cli', name: client };
}

function decoded(text: string): string {
  try {
    return escapeInvisibleLine(decodeURIComponent(text)).slice(0, LONGEST);
  } catch {
    return '';
  }
}
