import type { ConfigProblem } from '../errors.ts';
import type { Webhook } from '../types.ts';

/** The secrets with which no request can be verified, or that hold what nobody meant to be part of them. */
export function secretProblems(webhooks: readonly Webhook[]): readonly ConfigProblem[] {
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

function placeOf({ name, origin }: Webhook): Pick<ConfigProblem, 'file' | 'line'> {
  if (origin.kind !== 'static')
    return { file: origin.kind === 'dynamic' ? `webhook ${name}` : 'webhooks.yml' };
  return { file: origin.file, ...(origin.line !== null && { line: origin.line }) };
}
