import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ReplaySource } from '../../deliveries/replay.ts';
import { notFound, usageError } from '../../errors.ts';
import { secret } from '../../lib/redact/redact.ts';
import type { Headers, Snapshot } from '../../types.ts';
import { requireProvider, webhookFor } from '../kit/webhooks.ts';

/** What the user says of a file that does not say it itself. */
export interface FileHints {
  readonly provider?: string;
  readonly event?: string;
  readonly webhook?: string;
}

/** What `delivery show --json` prints, as far as it is needed to run it again. */
interface ExportedDelivery {
  readonly webhook: string;
  readonly headers: Headers;
  readonly query?: string;
  readonly body_base64: string;
  readonly sample?: boolean;
}

/** Whether an argument of `replay` or `explain` names a file; else it is a delivery id. */
export function isFile(argument: string): boolean {
  return !/^dlv-[a-z0-9]+$/.test(argument) || existsSync(argument);
}

/**
 * The bytes of a file: an exported delivery with its headers, or a bare body whose provider and event the user
 * names. Throws `not_found` when there is no such file, `usage` when something is left open.
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
      `${path} is a body without headers: it does not say who sent it and what it is`,
      'Say it: --provider github --event issue_comment.created',
    );
  }
  const webhook = webhookFor(requireProvider(hints.provider, snapshot), hints.webhook, snapshot);
  const { provider } = webhook;
  // Signed with a key that nobody has: a replay is not verified, but its headers are those a provider sends.
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
