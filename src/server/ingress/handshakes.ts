import { rotateSecret } from '../../config/dynamic/edit.ts';
import type { WebhookRegistry } from '../../config/registry.ts';
import { verify } from '../../deliveries/verify.ts';
import { failure } from '../../errors.ts';
import type { Handshake } from '../../providers/receive/handshake.ts';
import type { Services } from '../../services.ts';
import type { Ack, Actor, HandshakeRule, RawRequest, Webhook } from '../../types.ts';

/** A handshake that was answered. */
export interface AnsweredHandshake {
  readonly webhook: string;
  /** Its name: `asana`. */
  readonly handshake: string;
  readonly method: string;
  /** A person awaited it; else it was signed. */
  readonly awaited: boolean;
  /** Its challenge is the secret of the webhook now. */
  readonly learnedSecret: boolean;
}

/** What becomes of a request that may be a handshake; null when it is none. */
type HandshakeOutcome =
  | { readonly kind: 'answered'; readonly ack: Ack }
  /** Neither signed nor awaited: the name of the handshake. */
  | { readonly kind: 'refused'; readonly name: string };

interface HandshakeParts {
  /** Whether the signature of a request fits. */
  readonly isSigned: (webhook: Webhook, request: RawRequest) => Promise<boolean>;
  /** Makes the secret that of the webhook; resolves when it is in force. */
  readonly learn: (webhook: Webhook, secret: string, actor: Actor) => Promise<void>;
  readonly answered: (handshake: AnsweredHandshake) => void;
}

/** Answers what senders ask before they send: while a person awaits it, or when it is signed. */
export interface Handshakes {
  answer(webhook: Webhook, method: string, request: RawRequest): Promise<HandshakeOutcome | null>;
  /**
   * Waits for one handshake of a webhook; null when none came before the signal. Throws `no_handshake`, `already_awaited`,
   * `static_secret`.
   */
  await(webhook: Webhook, actor: Actor, signal: AbortSignal): Promise<AnsweredHandshake | null>;
}

interface ServedParts extends Pick<HandshakeParts, 'answered'> {
  readonly services: Pick<Services, 'dynamic'>;
  readonly context: Parameters<typeof verify>[0];
  readonly live: Pick<WebhookRegistry, 'reload'>;
}

/** The handshakes of a server. A secret that is learned replaces the former ones at once: no sender has them. */
export function serveHandshakes({ services, context, live, answered }: ServedParts): Handshakes {
  return createHandshakes({
    answered,
    async isSigned(webhook, request) {
      const verification = await verify(context, webhook, request);
      return verification.ok && verification.trust === 'verified';
    },
    async learn({ origin }, secret, actor) {
      if (origin.kind !== 'dynamic') throw new Error('only dynamic webhooks learn secrets');
      const db = await services.dynamic();
      await db.edit(rotateSecret(origin.webhookId, { overlapMs: 0, secret: { value: secret } }), actor);
      await live.reload();
    },
  });
}

interface Waiting {
  readonly actor: Actor;
  readonly done: (handshake: AnsweredHandshake) => void;
  readonly failed: (error: unknown) => void;
}

function createHandshakes({ isSigned, learn, answered }: HandshakeParts): Handshakes {
  const waiting = new Map<string, Waiting>();

  return {
    async answer(webhook, method, request) {
      const { handshakes = [] } = webhook.provider;
      if (handshakes.length === 0 || !webhook.enabled) return null;
      const { answersWithHmac, findHandshake, handshakeAck } = await import(
        '../../providers/receive/handshake.ts'
      );
      const handshake = findHandshake(handshakes, method, request);
      if (handshake === null) return null;
      const waiter = waiting.get(webhook.name) ?? null;
      const name = handshake.rule.name ?? 'handshake';
      const learns = handshake.rule.isSecret === true;
      const isAwaited = waiter !== null && !answersWithHmac(handshake);
      if (!isAwaited && (learns || !(await isSigned(webhook, request)))) return { kind: 'refused', name };
      // One awaited handshake is answered: a second one at the same moment finds no one who waits.
      waiting.delete(webhook.name);
      try {
        if (waiter !== null && learns) await learnFrom(webhook, handshake, waiter.actor);
        const ack = handshakeAck(handshake, webhook.secrets[0]?.value.reveal() ?? null);
        const awaited = waiter !== null;
        const told = { webhook: webhook.name, handshake: name, method, awaited, learnedSecret: learns };
        answered(told);
        waiter?.done(told);
        return { kind: 'answered', ack };
      } catch (error) {
        waiter?.failed(error);
        throw error;
      }
    },

    await(webhook, actor, signal) {
      const { name } = webhook;
      requireHandshake(webhook);
      if (waiting.has(name)) {
        throw failure('already_awaited', `the handshake of ${name} is awaited already`, {
          fix: 'End the other `hookctl webhook await`, or let it go on.',
        });
      }
      return new Promise((resolve, reject) => {
        const stop = () => {
          if (waiting.get(name) === waiter) waiting.delete(name);
          resolve(null);
        };
        const waiter: Waiting = { actor, done: resolve, failed: reject };
        if (signal.aborted) return stop();
        signal.addEventListener('abort', stop, { once: true });
        waiting.set(name, waiter);
      });
    },
  };

  async function learnFrom(webhook: Webhook, { challenge }: Handshake, actor: Actor): Promise<void> {
    const secret = challenge ?? '';
    const problem =
      secret.length < SHORTEST_SECRET ? 'it is too short' : webhook.provider.secretProblem?.(secret);
    if (problem) {
      throw failure(
        'weak_secret',
        `the secret in the handshake of ${webhook.name} cannot be used: ${problem}`,
      );
    }
    await learn(webhook, secret, actor);
  }
}

/** Characters of a secret that a sender gives. */
const SHORTEST_SECRET = 16;

function requireHandshake({ name, provider, origin, enabled }: Webhook): void {
  const rules: readonly HandshakeRule[] = provider.handshakes ?? [];
  if (!enabled) {
    throw failure('disabled', `the webhook ${name} is disabled`, {
      fix: `First: hookctl webhook enable ${name}`,
    });
  }
  if (rules.length === 0) {
    throw failure('no_handshake', `the webhook ${name} has no handshake to answer`, {
      fix: `Say which: hookctl webhook edit ${name} --option handshake=meta (the names: docs/receiving.md)`,
    });
  }
  if (origin.kind !== 'dynamic' && rules.some(({ isSecret }) => isSecret === true)) {
    throw failure(
      'static_secret',
      `the handshake of ${name} brings its secret, and a webhook in code cannot keep one`,
      {
        fix: 'Make it a dynamic webhook: hookctl webhook add --help',
      },
    );
  }
}
