import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, type Diagnostic } from '../errors.ts';
import { syncDirectory, writeFileAtomic } from '../lib/files/atomic-file.ts';
import { secret, withoutLineEnds } from '../lib/redact/redact.ts';
import type { Webhook, WebhookSecret } from '../types.ts';
import type { DbSecret } from './dynamic/schema.ts';

/** Which secret a webhook asks for. */
export interface SecretRequest {
  /** Name of the webhook. */
  readonly webhook: string;
  /** The variable it names. Null when it names none. */
  readonly secretEnv: string | null;
  /**
   * True: the variable is only the provider's custom (a built-in webhook's), so that without it the generated secret
   * serves. False: the user named it, and then nothing else will do.
   */
  readonly optional: boolean;
  /** Makes one in the form that the provider wants; left out: 32 random bytes in hex. */
  readonly make?: (() => string) | undefined;
}

export interface SecretPlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly dataFolder: string;
  /** False for commands that only look: a missing secret stays missing. */
  readonly createMissing: boolean;
}

/** Looks the secret up: in the variable (line ends around it do not count), else in the data folder. */
export async function resolveSecret(
  { webhook, secretEnv, optional, make = randomSecret }: SecretRequest,
  { env, dataFolder, createMissing }: SecretPlaces,
): Promise<Pick<Webhook, 'secrets' | 'secretSource'>> {
  const written = secretEnv === null ? undefined : env[secretEnv];
  const value = written === undefined ? undefined : withoutLineEnds(written);
  // An empty key would let anybody sign.
  if (secretEnv !== null && value) return { secrets: [forever(value)], secretSource: secretEnv };
  if (secretEnv !== null && !optional) {
    return { secrets: [], secretSource: `${secretEnv} is ${value === undefined ? 'not set' : 'empty'}` };
  }
  const folder = join(dataFolder, 'secrets');
  const generated =
    (await read(folder, webhook)) ?? (createMissing ? await generate(folder, webhook, make()) : null);
  return generated === null
    ? { secrets: [], secretSource: 'not generated yet' }
    : { secrets: [forever(generated)], secretSource: 'generated' };
}

function forever(value: string): WebhookSecret {
  return { value: secret(value), expiresAt: null };
}

async function read(folder: string, name: string): Promise<string | null> {
  const file = join(folder, name);
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (content !== '') return content;
  const fix = `Remove it (rm ${file}) and a new secret is generated; give that one to the sender.`;
  throw new ConfigError([{ file, message: 'the file of the generated secret is empty', fix }]);
}

/** 32 random bytes in hex. */
export function randomSecret(): string {
  return randomBytes(32).toString('hex');
}

/**
 * 0600. Written aside and linked into place: the name appears with its whole content or not
 * at all, and of two processes that generate at once the first one wins for both.
 */
async function generate(folder: string, name: string, value: string): Promise<string | null> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${name}.${randomBytes(6).toString('hex')}.new`);
  await writeFileAtomic(draft, value);
  try {
    await link(draft, join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  await syncDirectory(folder);
  return read(folder, name);
}

/** Secrets that can verify no request, or that hold something by mistake, such as a blank at the end. */
export function secretProblems(webhooks: readonly Webhook[]): readonly Diagnostic[] {
  return webhooks.flatMap((webhook) =>
    webhook.enabled
      ? reasonsOf(webhook).map((message) => ({
          ...placeOf(webhook),
          message: `webhook ${webhook.name}: ${message}`,
          fix: `Compare it with the one that ${webhook.provider.label} shows (now: ${webhook.secretSource}).`,
        }))
      : [],
  );
}

/** The same as lines for the notices of `serve` and `status`. */
export function secretNotices(webhook: Webhook): readonly string[] {
  if (!webhook.enabled) return [];
  return reasonsOf(webhook).map(
    (reason) =>
      `webhook ${webhook.name}: ${reason}, so deliveries to ${webhook.endpoint} are refused (401); now: ${webhook.secretSource}`,
  );
}

function reasonsOf({ secrets, provider }: Webhook): readonly string[] {
  return secrets.flatMap(({ value }) => {
    const text = value.reveal();
    return (
      provider.secretProblem?.(text) ?? (text === text.trim() ? [] : 'the secret begins or ends with a blank')
    );
  });
}

function placeOf({ name, origin }: Webhook): Pick<Diagnostic, 'file' | 'line'> {
  if (origin.kind !== 'static')
    return { file: origin.kind === 'dynamic' ? `webhook ${name}` : 'webhooks.yml' };
  return { file: origin.file, ...(origin.line !== null && { line: origin.line }) };
}

export type Env = Readonly<Record<string, string | undefined>>;

/** The secrets of a dynamic webhook; a variable that is not set gives none, and is named by `secretSource`. */
export function unlockSecrets(
  secrets: readonly DbSecret[],
  env: Env,
): Pick<Webhook, 'secrets' | 'secretSource'> {
  const sources = secrets.map((it) => sourceOf(it, env));
  return {
    secrets: secrets.flatMap((it) => unlock(it, env)),
    secretSource: sources.length === 0 ? 'none' : [...new Set(sources)].join(', '),
  };
}

function unlock(given: DbSecret, env: Env): readonly WebhookSecret[] {
  const value = 'value' in given ? given.value : variable(given.env, env);
  // An empty key would let anybody sign.
  if (!value) return [];
  const expiresAt = given.expires_at == null ? null : Date.parse(given.expires_at);
  return [{ value: secret(value), expiresAt }];
}

function sourceOf(given: DbSecret, env: Env): string {
  if ('value' in given) return 'in webhooks.json';
  const value = variable(given.env, env);
  return value ? given.env : `${given.env} is ${value === undefined ? 'not set' : 'empty'}`;
}

function variable(name: string, env: Env): string | undefined {
  const value = env[name];
  return value === undefined ? undefined : withoutLineEnds(value);
}
