import { createHmac } from 'node:crypto';
import { requestPlace, valueInHead } from '../../lib/http/request-place.ts';
import { getPath, parseJsonValue, withoutBom } from '../../lib/json.ts';
import type { Ack, HandshakeRule, JsonObject, JsonValue, RawRequest } from '../../types.ts';

/** A request that asks as one of the rules says. */
export interface Handshake {
  readonly rule: HandshakeRule;
  /** Null when the answer repeats nothing. */
  readonly challenge: string | null;
}

/** Longer ones are no challenges; nothing so long is repeated to a stranger. */
const LONGEST_CHALLENGE = 4_096;
/** Handshakes are short, and their bodies are read before their sender is verified. */
const LARGEST_BODY = 64 * 1024;

/** Which handshake a request is; null when it is none of these. */
export function findHandshake(
  rules: readonly HandshakeRule[],
  method: string,
  request: RawRequest,
): Handshake | null {
  const asked = rules.filter((rule) => (rule.method ?? 'GET') === method);
  if (asked.length === 0 || request.body.byteLength > LARGEST_BODY) return null;
  const at = valueFinder(request);
  for (const rule of asked) {
    const found = rule.challenge === undefined ? undefined : at(rule.challenge);
    const challenge = typeof found === 'string' || typeof found === 'number' ? String(found) : null;
    if (rule.challenge !== undefined && !isChallenge(challenge ?? '')) continue;
    const fits = Object.entries(rule.when ?? {}).every(([place, wanted]) => {
      const text = textOf(at(place));
      return wanted === '*' ? text !== null : text === wanted;
    });
    if (fits) return { rule, challenge };
  }
  return null;
}

/**
 * Whether the answer is a signature under the webhook's secret. Only a signed question may have one: an unsigned one would have
 * hookctl sign what a stranger likes.
 */
export function answersWithHmac({ rule }: Handshake): boolean {
  return /\{hmac/.test(JSON.stringify([rule.answer, rule.headers]));
}

/** The answer to a handshake; `secret` is the webhook's, null when it has none. */
export function handshakeAck({ rule, challenge }: Handshake, secret: string | null): Ack {
  const fill = (text: string) =>
    text.replace(/\{(challenge|hmac|hmac:base64)\}/g, (_, name: string) => {
      if (name === 'challenge') return challenge ?? '';
      const hmac = createHmac('sha256', secret ?? '').update(challenge ?? '');
      return hmac.digest(name === 'hmac' ? 'hex' : 'base64');
    });
  const answer = rule.answer ?? (challenge === null ? '' : '{challenge}');
  const isText = typeof answer === 'string';
  const headers = Object.entries(rule.headers ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    fill(value),
  ]);
  return {
    status: rule.status ?? 200,
    headers: {
      'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
      // What is repeated is a stranger's: no browser may take it for a page.
      'x-content-type-options': 'nosniff',
      ...Object.fromEntries(headers),
    },
    body: isText ? fill(answer) : JSON.stringify(filled(answer, fill)),
  };
}

function filled(value: JsonValue | undefined, fill: (text: string) => string): JsonValue {
  if (typeof value === 'string') return fill(value);
  if (Array.isArray(value)) return value.map((item: JsonValue) => filled(item, fill));
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, item]) => [key, filled(item, fill)]),
  );
}

/** Reads the body once, when a rule asks for a value of it. */
function valueFinder(request: RawRequest): (place: string) => JsonValue | undefined {
  let payload: JsonValue | undefined;
  let isRead = false;
  return (text) => {
    const place = requestPlace(text);
    if (place !== null) return valueInHead(place, request);
    if (!isRead) {
      const parsed = parseJsonValue(withoutBom(request.body));
      payload = parsed.ok ? parsed.value : undefined;
      isRead = true;
    }
    return getPath(payload, text.split('.'));
  };
}

/** Objects count as being there, so that `when: { event: null }` refuses a body with an event. */
function textOf(value: JsonValue | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Short, and what a header may carry: a line end in it would begin another header. */
function isChallenge(text: string): boolean {
  return text.length <= LONGEST_CHALLENGE && /^[\x20-\x7e]+$/.test(text);
}
