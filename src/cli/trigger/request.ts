import { randomInt, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { failure, usageError } from '../../errors.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { suggest } from '../../lib/suggest.ts';
import { sampleBringsText } from '../../providers/kit/samples.ts';
import type { JsonObject, JsonValue, OutgoingRequest, Sample, Webhook } from '../../types.ts';

/**
 * Copies the payload with one field changed: `issue.labels.0.name=bug`. A value that is JSON is parsed as JSON,
 * any other is text. Throws `usage` when there is no `=`, or when a part of the path has no fields.
 */
function setPath(payload: JsonObject, assignment: string): JsonObject {
  const at = assignment.indexOf('=');
  if (at < 1)
    throw usageError(
      `--set ${assignment} has no \`=\``,
      'Write it as path=value: --set issue.title="Crash".',
    );
  const path = assignment.slice(0, at).split('.');
  return put(payload, path, jsonOrText(assignment.slice(at + 1)), assignment) as JsonObject;
}

function put(
  target: JsonValue | undefined,
  path: readonly string[],
  value: JsonValue,
  assignment: string,
): JsonValue {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (target !== undefined && (typeof target !== 'object' || target === null)) {
    throw usageError(`--set ${assignment}: nothing before \`${key}\` in the path has fields`);
  }
  if (Array.isArray(target)) {
    return target.toSpliced(Number(key), 1, put(target[Number(key)], rest, value, assignment));
  }
  const object = (target ?? {}) as JsonObject;
  return { ...object, [key]: put(object[key], rest, value, assignment) };
}

function jsonOrText(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

/** Options for the request to make. */
export interface RequestWishes {
  /** Event type; undefined means the provider's first sample. */
  readonly type: string | undefined;
  readonly text?: string;
  readonly set: readonly string[];
  /** A JSON file instead of the sample. */
  readonly payload?: string;
  /** URL that the sender was given. Null when it is unknown. */
  readonly url?: string | null;
}

/** Makes a request like the provider's, with fresh ids, signed with the webhook's secret. */
export async function makeRequest(
  webhook: Webhook,
  wishes: RequestWishes,
  now: Date,
): Promise<OutgoingRequest> {
  const secret = webhook.secrets[0]?.value;
  if (secret === undefined) {
    throw failure('no_secret', `${webhook.name} has no secret to sign with: ${webhook.secretSource}`);
  }
  const { type, payload } =
    wishes.payload === undefined ? sample(webhook, wishes, now) : await ownPayload(wishes);
  const body = Buffer.from(JSON.stringify(wishes.set.reduce(setPath, payload)));
  const { url = null } = wishes;
  return webhook.provider.sign(body, {
    ...{ type, secret, deliveryId: randomUUID(), now },
    ...(url !== null && { url }),
  });
}

interface Payload {
  readonly type: string;
  readonly payload: JsonObject;
}

/** The sample of an event type, or the first. Throws `usage` when there is none. */
export function knownSample({ provider }: Webhook, type: string | undefined): Sample {
  const found = provider.samples.find((each) => type === undefined || each.type === type);
  if (found === undefined) {
    const near = suggest(
      type ?? '',
      provider.samples.map((each) => each.type),
    );
    const fix =
      near === null ? `List them: hookctl trigger --list ${provider.name}` : `Did you mean ${near}?`;
    throw usageError(
      type === undefined
        ? `${provider.label} has no sample`
        : `there is no sample ${type} for ${provider.label}`,
      fix,
    );
  }
  return found;
}

function sample(webhook: Webhook, { type, text }: RequestWishes, now: Date): Payload {
  const { provider } = webhook;
  const found = knownSample(webhook, type);
  if (text !== undefined && !sampleBringsText(found)) {
    const others = provider.samples.filter(sampleBringsText).map((each) => each.type);
    const fix = others.length === 0 ? 'Leave --text out.' : `These bring one: ${others.join(', ')}.`;
    throw usageError(`${found.type} of ${provider.label} brings no text`, fix);
  }
  const context = { text: text ?? plainText(webhook), now, nextNumber: () => randomInt(1, 2 ** 47) };
  return { type: found.type, payload: found.build(context) };
}

/** A command line that tries a text command. Null when the event carries no text. */
export function withText(
  { name, provider, commandPrefix, defaultCommand }: Webhook,
  type: string,
): string | null {
  const found = provider.samples.find((each) => each.type === type);
  if (found === undefined || !sampleBringsText(found)) return null;
  const text = [commandPrefix, defaultCommand].filter((word) => word !== null).join(' ');
  return commandLine('hookctl', 'trigger', name, type, '--text', text);
}

/** A text that contains no command. */
const PLAIN_TEXT = 'A text without a command.';

function plainText({ commandPrefix }: Webhook): string {
  return PLAIN_TEXT.toLowerCase().includes(commandPrefix.toLowerCase()) ? '-' : PLAIN_TEXT;
}

async function ownPayload({ type, text, payload: file = '' }: RequestWishes): Promise<Payload> {
  if (type === undefined || text !== undefined) {
    throw usageError(
      '--payload needs the event type, and takes no --text',
      'Change a field: --set comment.body="…"',
    );
  }
  const content = await readFile(file, 'utf8').catch(() => {
    throw usageError(`there is no file ${file}`);
  });
  try {
    return { type, payload: JSON.parse(content) as JsonObject };
  } catch (error) {
    throw usageError(`${file} is not JSON`, error instanceof Error ? error.message : undefined);
  }
}
