import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { failure } from '../errors.ts';
import { writeFileAtomic } from '../lib/files/atomic-file.ts';
import { createKeyLock } from '../lib/key-lock.ts';
import { wire } from '../outbox/plan.ts';
import { ask } from '../outbox/send.ts';
import type { Transport } from '../outbox/transport.ts';
import { textAt } from '../providers/kit/payload.ts';
import { answerJson } from '../providers/kit/reply.ts';
import type { Account, Headers } from '../types.ts';

interface TokenParts {
  readonly dataFolder: string;
  readonly transport: Transport;
  readonly account: Account;
  readonly userAgent: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const fileSchema = z.object({
  /** Of the token that a person gave: another one takes the place of all this. */
  given: z.string(),
  token: z.string(),
  refresh_token: z.string(),
  /** Epoch seconds. */
  expires_at: z.number(),
});
type Kept = z.infer<typeof fileSchema>;

/** A token that ends sooner is replaced. */
const MARGIN_S = 300;
/** A refresh token works once: two who use it at the same time lock each other out. */
const locked = createKeyLock();

/**
 * The header with a configuration token of Slack. Those end after 12 hours; a refresh token (`xoxe-…`) is exchanged for one and for
 * the next refresh token, which is on disk (0600) before the new token is used. Throws `slack_token`.
 */
export async function slackAuthorization(parts: TokenParts): Promise<Headers> {
  const given = parts.account.token.reveal();
  const token = given.startsWith('xoxe-')
    ? await locked([parts.dataFolder], () => fresh(parts, given))
    : given;
  return { authorization: `Bearer ${token}` };
}

async function fresh(parts: TokenParts, given: string): Promise<string> {
  const file = join(parts.dataFolder, 'slack-config-token.json');
  const mark = createHash('sha256').update(given).digest('hex');
  const found = await read(file);
  const kept = found?.given === mark ? found : null;
  if (kept !== null && kept.expires_at - MARGIN_S > parts.now() / 1000) return kept.token;
  const next = await rotated(parts, kept?.refresh_token ?? given);
  await writeFileAtomic(file, `${JSON.stringify({ given: mark, ...next }, null, 2)}\n`);
  return next.token;
}

/** Null when no file has one that can be read; the given token is then exchanged for a new one. */
async function read(file: string): Promise<Kept | null> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

/** Source: docs.slack.dev, `tooling.tokens.rotate`; @slack/web-api 8, `ToolingTokensRotateResponse`. */
async function rotated(
  { transport, account, userAgent }: TokenParts,
  refresh: string,
): Promise<Omit<Kept, 'given'>> {
  const body = new URLSearchParams({ refresh_token: refresh });
  const call = { method: 'POST', url: `${account.baseUrl}/tooling.tokens.rotate`, body } as const;
  const answer = await ask(transport, { refused: null }, wire(call, account, {}, userAgent));
  const json = 'result' in answer ? null : answerJson(answer);
  const [token, refresh_token] = [textAt(json, 'token'), textAt(json, 'refresh_token')];
  if (token !== null && refresh_token !== null) {
    const exp = json !== null && typeof json === 'object' && 'exp' in json ? Number(json.exp) : 0;
    return { token, refresh_token, expires_at: exp };
  }
  const why = 'result' in answer ? answer.reason : (textAt(json, 'error') ?? `it answered ${answer.status}`);
  throw failure('slack_token', `Slack gives no configuration token: ${why}`, {
    fix: 'Where the refresh token was used already, make another one on https://api.slack.com/apps ("Your App Configuration Tokens") and set SLACK_CONFIG_TOKEN to it.',
  });
}
