import { secret, withoutLineEnds } from '../../lib/redact/secret.ts';
import type { Webhook, WebhookSecret } from '../../types.ts';
import type { DbSecret } from './schema.ts';

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
