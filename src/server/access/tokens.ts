import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { failure, notFound } from '../../errors.ts';
import { camelKeys, snakeKeys } from '../../lib/case.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import type { IdSource } from '../../lib/ids.ts';
import { type OwnerCaller, type OwnerToken, SCOPES } from './caller.ts';

/** The tokens of owners that count for a data folder. One process changes them: the one that holds the folder. */
export interface Tokens {
  /** Oldest first; those that expired within the last 30 days among them. */
  list(): readonly OwnerToken[];
  /** Whose token a text is; `expired` when it was one, and null when it is none. */
  find(text: string): OwnerCaller | 'expired' | null;
  /** The new token and its text, which is nowhere from then on. Durable when it resolves. Throws `too_many_tokens`. */
  create(order: NewToken): Promise<{ readonly token: OwnerToken; readonly text: string }>;
  /**
   * Ends a token and all that were made with it, and returns them. They open nothing from the call on; after a restart neither,
   * once it resolves. Throws `not_found`.
   */
  revoke(id: string): Promise<readonly OwnerToken[]>;
}

/** A token to make. */
interface NewToken extends Pick<OwnerToken, 'name' | 'owner' | 'scopes' | 'createdBy' | 'madeWith'> {
  readonly ttlMs: number;
}

interface TokensOptions {
  readonly dataFolder: string;
  readonly now: () => number;
  readonly ids: IdSource;
}

/** What every text of a token begins with, so that it is recognised wherever it gets to. */
const PREFIX = 'hkt_';
/** More are a script that makes one for each request. */
const MOST = 1_000;
/** So long an expired one is listed: its holder may ask. */
const KEPT_MS = 30 * 86_400_000;

const Kept = z.strictObject({
  id: z.string(),
  name: z.string().nullable(),
  owner: z.string(),
  scopes: z.array(z.enum(SCOPES)).readonly(),
  created_at: z.int(),
  created_by: z.string(),
  made_with: z.string().nullable(),
  expires_at: z.int(),
  /** SHA-256 of its text: 256 random bits need no salt. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});
const File = z.strictObject({ version: z.literal(1), tokens: z.array(Kept) });

interface KnownToken {
  readonly token: OwnerToken;
  readonly digest: string;
  readonly revocation: AbortController;
}

/** Reads the tokens of a data folder. Throws `tokens_damaged`: a file that cannot be read must not open or close doors. */
export async function openTokens({ dataFolder, now, ids }: TokensOptions): Promise<Tokens> {
  const path = join(dataFolder, 'tokens.json');
  let known = new Map((await readKept(path)).map((each) => [each.digest, each]));
  let work: Promise<unknown> = Promise.resolve();

  /** One change after the other, so that each writes what the one before left. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = work.then(change);
    work = done.catch(() => undefined);
    return done;
  }

  async function write(tokens: ReadonlyMap<string, KnownToken>): Promise<void> {
    const kept = [...tokens.values()].map(({ token, digest }) => ({ ...snakeKeys(token), digest }));
    await writeFileAtomic(path, `${JSON.stringify({ version: 1, tokens: kept }, null, 2)}\n`);
  }

  return {
    list: () => [...known.values()].map(({ token }) => token),
    find(text) {
      if (!text.startsWith(PREFIX)) return null;
      // Looked up by its digest, so that how long that takes tells nothing about a token.
      const found = known.get(digestOf(text));
      if (found === undefined) return null;
      if (found.token.expiresAt <= now()) return 'expired';
      return { kind: 'owner', token: found.token, revoked: found.revocation.signal };
    },
    create: ({ ttlMs, ...order }) =>
      inTurn(async () => {
        const at = now();
        const { madeWith } = order;
        if (madeWith !== null && ![...known.values()].some(({ token }) => token.id === madeWith))
          throw failure('token', `${madeWith} was revoked meanwhile`);
        const left = [...known].filter(([, { token }]) => token.expiresAt > at - KEPT_MS);
        if (left.length >= MOST) {
          throw failure('too_many_tokens', `there are ${MOST} tokens already`, {
            fix: 'Revoke what no one uses: hookctl token list, hookctl token revoke <id>.',
          });
        }
        const text = PREFIX + randomBytes(32).toString('hex');
        const digest = digestOf(text);
        const token = { id: ids.next('tok'), ...order, createdAt: at, expiresAt: at + ttlMs };
        const next = new Map([...left, [digest, { token, digest, revocation: new AbortController() }]]);
        await write(next);
        known = next;
        return { token, text };
      }),
    revoke: (id) =>
      inTurn(async () => {
        const gone = descendants(
          id,
          [...known.values()].map(({ token }) => token),
        );
        if (gone.length === 0) throw notFound(`there is no token ${id}`, 'List them: hookctl token list');
        const ids = new Set(gone.map((token) => token.id));
        // Refused from now on, also when the disk is full.
        const [ended, left] = split(known, ({ token }) => ids.has(token.id));
        known = left;
        for (const { revocation } of ended) revocation.abort();
        await write(left);
        return gone;
      }),
  };
}

/** A token, and those that were made with it or with one of these. Makers are older than what they made. */
function descendants(id: string, tokens: readonly OwnerToken[]): readonly OwnerToken[] {
  const ids = new Set([id]);
  return tokens.filter((token) => {
    if (token.madeWith !== null && ids.has(token.madeWith)) ids.add(token.id);
    return ids.has(token.id);
  });
}

function split(
  tokens: ReadonlyMap<string, KnownToken>,
  isEnded: (each: KnownToken) => boolean,
): readonly [ended: readonly KnownToken[], left: Map<string, KnownToken>] {
  const ended = [...tokens.values()].filter(isEnded);
  return [ended, new Map([...tokens].filter(([, each]) => !isEnded(each)))];
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function readKept(path: string): Promise<readonly KnownToken[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return [];
  const parsed = File.safeParse(jsonOrNull(text));
  if (!parsed.success) {
    throw failure('tokens_damaged', `the tokens of owners in ${path} cannot be read`, {
      fix: 'Remove the file, which revokes them all, and make new ones: hookctl token create --owner <name>.',
    });
  }
  return parsed.data.tokens.map(({ digest, ...token }) => ({
    ...{ token: camelKeys(token), digest },
    revocation: new AbortController(),
  }));
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
