import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ReplaySource } from '../../deliveries/replay.ts';
import { notFound, usageError } from '../../errors.ts';
import { secret } from '../../lib/redact/redact.ts';
import type { Headers, Snapshot } from '../../types.ts';
import { requireProvider, webhookFor } from '../kit/webhooks.ts';

/** Options that describe a file without headers. */
export interface FileHints {
  readonly provider?: string;
  readonly event?: string;
  readonly webhook?: string;
}

/** The fields of `delivery show --json` that a replay needs. */
interface ExportedDelivery {
  readonly webhook: string;
  readonly headers: Headers;
  readonly query?: string;
  readonly body_base64: string;
  readonly sample?: boolean;
}

/** Whether an argument of `replay` or `explain` is a file and not a delivery id. */
export function isFile(argument: string): boolean {
  return !/^dlv-[a-z0-9]+$/.test(argument) || existsSync(argument);
}

/**
 * Reads a file: an exported delivery with its headers, or a bare body whose provider and event the user
 * gives. Throws `not_found` when there is no file, `usage` when provider or event is missing.
 */
export async function fileSource(path: string, hints: FileHints, snapshot: Snapshot): Promise<ReplaySource> {
  const body = await readFile(path).catch(() => {
    throw notFound(
      `there is no delivery and no file ${path}`,
      'List deliveries with `hookctl delivery list`.',
    );
  });
  const exported = asExported(body);
  if (exported === null) return bareBody(path, body, hints, snapshot);
  return {
    deliveryId: null,
    webhookName: hints.webhook ?? exported.webhook,
    request: {
      headers: exported.headers,
      query: exported.query ?? '',
      body: Buffer.from(exported.body_base64, 'base64'),
    },
    trust: 'operator',
    sample: exported.sample === true,
  };
}

function bareBody(path: string, body: Uint8Array, hints: FileHints, snapshot: Snapshot): ReplaySource {
  if (hints.provider === undefined || hints.event === undefined) {
    throw usageError(
      `${path} is a body without headers: its provider and event are unknown`,
      'Give them: --provider github --event issue_comment.created',
    );
  }
  const webhook = webhookFor(requireProvider(hints.provider, snapshot), hints.webhook, snapshot);
  const { provider } = webhook;
  // A random key will do: a replay is not verified, but needs the provider's headers.
  const request = provider.sign(body, {
    type: hints.event,
    secret: secret(provider.newSecret?.() ?? randomUUID()),
    deliveryId: randomUUID(),
    now: new Date(),
  });
  return {
    deliveryId: null,
    webhookName: webhook.name,
    request: { ...request, query: '' },
    trust: 'operator',
  };
}

function asExported(body: Buffer): ExportedDelivery | null {
  try {
    const value = JSON.parse(body.toString('utf8')) as Partial<ExportedDelivery>;
    const whole =
      typeof value.body_base64 === 'string' &&
      typeof value.headers === 'object' &&
      typeof value.webhook === 'string';
    return whole ? (value as ExportedDelivery) : null;
  } catch {
    return null;
  }
}
