import { type Delivery, ownedName, type Parsed, type Trust, type WebhookEvent } from '../types.ts';

/**
 * How long a request that may rightly come again with the same bytes (a dispatch) counts as the same one: at least this, at
 * most twice this. Two hooks and a second click are within it.
 */
const BRIEF_MS = 30_000;

/** Whose text it is: what one owner's webhooks did of it holds back none of another's. */
type TextSource = Pick<Delivery, 'provider' | 'owner'>;

interface KeyedDelivery extends TextSource {
  /** The webhook's id in the store; its name where it has none. */
  readonly webhook: string;
  readonly trust: Trust;
  /** See `Verdict`; null where nothing proves the bytes. */
  readonly seal: string | null;
  /** The webhook has one secret, so that the same signed bytes have the same seal. */
  readonly hasOneSecret: boolean;
  readonly senderDeliveryId: string | null;
  readonly parsed: Extract<Parsed, { ok: true }>;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
}

/**
 * The keys by which a second delivery of the same event is found (`store/local/log/claims.ts`). Plain ones count within the webhook.
 * Those with `@` count for all webhooks, of texts for all of one owner: `@seal:` is the signed message itself, whichever webhook with the same secret it
 * is sent to; `@act:` is what a person wrote, whichever hook tells it in whichever words: with the webhook in it, what that one did;
 * without, that the text commanded, answered or steered, which it does once. `?` marks those of an unverified delivery, which hold
 * back no verified one.
 */
export function dedupeKeys(delivery: KeyedDelivery): readonly string[] {
  const { webhook, trust, senderDeliveryId: id, parsed } = delivery;
  const own = [...(id === null ? [] : [`id:${id}`]), ...parsed.semanticKeys, ...bytesKeys(delivery)];
  if (trust === 'unverified') return [...new Set(own)].map((key) => `?${key}`);
  return [...new Set([...own, ...sealKeys(delivery), ...actsOf(delivery, parsed.events, webhook)])];
}

/** The digest of the bytes, where a signature does not tell the same. Fetched bytes were written anew: no sender sends them. */
function bytesKeys({ trust, seal, hasOneSecret, parsed: { bytesKey } }: KeyedDelivery): readonly string[] {
  const areTold = trust === 'fetched' || (seal !== null && hasOneSecret);
  return bytesKey === undefined || areTold ? [] : [bytesKey()];
}

function sealKeys({ seal, parsed, receivedAt }: KeyedDelivery): readonly string[] {
  if (seal === null) return [];
  if (parsed.mayRepeat === true) {
    const span = Math.floor(receivedAt / BRIEF_MS);
    return [span, span + 1].map((each) => `@brief:${seal}:${each}`);
  }
  if (parsed.semanticKeys.length === 0 && parsed.bytesKey === undefined && parsed.isOnce !== true) return [];
  // Where settings say what makes a delivery unique, that tells two with the same bytes apart.
  const unique = parsed.semanticKeys.find((key) => key.startsWith('key:'));
  return [unique === undefined ? `@seal:${seal}` : `@seal:${seal}:${unique}`];
}

/** Keys of what a webhook did of the texts of these events. */
export function actsOf(
  source: TextSource,
  events: readonly WebhookEvent[],
  webhook: string,
): readonly string[] {
  return actKeys(source, events).map((key) => `${key}@${webhook}`);
}

/** Keys of the acts by which people wrote the texts of these events; an edit is an act of its own. */
export function actKeys(source: TextSource, events: readonly WebhookEvent[]): readonly string[] {
  return events.flatMap((event) => actKey(source, event) ?? []);
}

/** Null where the text has no id. */
export function actKey(
  source: TextSource,
  { text, textId = null, textOrigin, writtenAt = null }: WebhookEvent,
): string | null {
  if (text === null || textId === null) return null;
  const provider = ownedName(source.owner, source.provider);
  return textOrigin === 'edited'
    ? `@act:${provider}:edited:${textId}:${writtenAt ?? ''}`
    : `@act:${provider}:${textOrigin}:${textId}`;
}

/** The key of a text of which a command has run, over all its edits; null where the text has no id. */
export function saidKey({ owner, provider }: TextSource, { textId = null }: WebhookEvent): string | null {
  return textId === null ? null : `@said:${ownedName(owner, provider)}:${textId}`;
}
