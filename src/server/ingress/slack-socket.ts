import type { SlackSocket } from '../../config/project/slack-socket.ts';
import type { Receipt } from '../../deliveries/receive.ts';
import { messageOf } from '../../errors.ts';
import { isPrivateHost } from '../../lib/http/addresses.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import { fullJitter, pause } from '../../lib/time.ts';
import { retryAfterMs } from '../../outbox/send.ts';
import { createTransport, type Transport } from '../../outbox/transport.ts';
import { textAt } from '../../providers/kit/payload.ts';
import { answerJson } from '../../providers/kit/reply.ts';
import { acknowledgement, type Frame } from '../../providers/slack/frame.ts';
import type { RawRequest, Secret, Snapshot, Webhook } from '../../types.ts';
import { type ConnectionTiming, connectToSlack, type SlackConnection } from './slack-connection.ts';

/** The state of Socket Mode. `stopped`: a person has to do something, and hookctl has to be started anew. */
export interface SlackSocketStatus {
  readonly phase: 'connecting' | 'open' | 'waiting' | 'stopped';
  /** Why, in words. */
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

interface SlackSocketOptions {
  readonly settings: SlackSocket & { readonly token: Secret };
  /**
   * Takes a request as the ingress would. Resolves with true when it is stored, so that Slack must not send it again; throws when it
   * can't be stored now.
   */
  readonly take: (request: RawRequest) => Promise<boolean>;
  readonly report: (status: SlackSocketStatus) => void;
  readonly broken: (error: unknown) => void;
  readonly transport: Transport;
  readonly now: () => number;
  readonly random?: () => number;
  readonly timing?: SlackTiming;
}

/** In milliseconds. */
interface SlackTiming extends ConnectionTiming {
  readonly baseMs: number;
  readonly capMs: number;
}

const TIMING: SlackTiming = {
  helloMs: 30_000,
  pingMs: 10_000,
  silenceMs: 30_000,
  overlapMs: 30_000,
  baseMs: 500,
  capMs: 60_000,
};
/** A connection that ends sooner was no success. */
const SHORT_MS = 5_000;

/** Errors of `apps.connections.open` after which another try gives the same answer, and what to do. */
const LINK_DISABLED = 'link_disabled';
const FATAL: Readonly<Record<string, string>> = {
  invalid_auth: 'the token is wrong or was revoked: make an app-level token with connections:write',
  not_authed: 'there is no token',
  not_allowed_token_type: 'this is no app-level token: those begin with xapp-',
  token_revoked: 'the token was revoked: make a new one',
  token_expired: 'the token has expired: make a new one',
  missing_scope: 'the token lacks the scope connections:write',
  account_inactive: 'the token belongs to a deleted user or workspace',
  team_disabled: 'the workspace is disabled',
  link_disabled: 'Socket Mode is switched off in the settings of the Slack app',
};

/** No further try would help. */
class Stopped extends Error {}

/** Slack asks to wait, in milliseconds. */
class Wait extends Error {
  readonly afterMs: number | null;
  constructor(message: string, afterMs: number | null) {
    super(message);
    this.afterMs = afterMs;
  }
}

interface ServedSlack {
  readonly settings: SlackSocket;
  readonly snapshot: () => Snapshot;
  /** Takes a request as the ingress does. */
  readonly receive: (webhook: Webhook, request: RawRequest, obtained: 'socket') => Promise<Receipt>;
  readonly report: (status: SlackSocketStatus) => void;
  readonly broken: (error: unknown) => void;
  readonly now: () => number;
}

/** Socket Mode for as long as a server runs: what comes goes to the webhook that the settings name. */
export function serveSlackSocket(served: ServedSlack): { close(): Promise<void> } {
  const { settings, snapshot, receive, report, broken, now } = served;
  const { token, tokenSource } = settings;
  const find = () => {
    const webhook = snapshot().byName.get(settings.webhook);
    return webhook?.providerName === 'slack' ? webhook : null;
  };
  const missing =
    find() === null
      ? `there is no webhook ${settings.webhook} of Slack: name one in slack.webhook`
      : `${tokenSource} is not set: it takes an app-level token (xapp-…) with connections:write`;
  if (token === null || find() === null) {
    report({ phase: 'stopped', reason: missing, since: now() });
    return { close: async () => undefined };
  }
  return openSlackSocket({
    settings: { ...settings, token },
    async take(request) {
      const webhook = find();
      if (webhook === null) throw new Error(`there is no webhook ${settings.webhook} of Slack any more`);
      const { status } = await receive(webhook, request, 'socket');
      return status !== 'rejected' && status !== 'limited';
    },
    ...{ report, broken, now, transport: createTransport() },
  });
}

/**
 * Keeps a connection of Socket Mode open. Before Slack closes one, the next one is opened, and the old one is read until it closes,
 * so that there is no moment without a connection. Each request is acknowledged when it is stored.
 */
export function openSlackSocket(options: SlackSocketOptions): { close(): Promise<void> } {
  const { settings, take, report, broken, transport, now } = options;
  const { random = Math.random, timing = TIMING } = options;
  const stop = new AbortController();
  const open = new Set<SlackConnection>();
  const taking = new Set<Promise<void>>();
  /** The connection on which a late acknowledgement goes out. */
  let newest: SlackConnection | null = null;
  let told = '';

  function tell(phase: SlackSocketStatus['phase'], reason: string): void {
    if (told === `${phase} ${reason}`) return;
    told = `${phase} ${reason}`;
    report({ phase, reason, since: now() });
  }

  function onFrame(frame: Frame, connection: Pick<SlackConnection, 'send'>): void {
    if (frame.kind !== 'request' || stop.signal.aborted) return;
    const { envelopeId, request } = frame;
    const taken = take(request)
      .then((isStored) => {
        if (!isStored) return;
        const text = acknowledgement(envelopeId);
        if (!connection.send(text)) newest?.send(text);
      })
      // Unacknowledged, so that Slack sends it again.
      .catch(broken)
      .finally(() => taking.delete(taken));
    taking.add(taken);
  }

  async function keepOpen(): Promise<void> {
    for (let failures = 0; !stop.signal.aborted; ) {
      let askedMs = 0;
      try {
        failures = (await openNext()) < SHORT_MS ? failures + 1 : 0;
      } catch (error) {
        if (stop.signal.aborted) return;
        if (error instanceof Stopped) return tell('stopped', error.message);
        failures += 1;
        askedMs = (error instanceof Wait ? error.afterMs : null) ?? 0;
        tell('waiting', escapeInvisibleLine(messageOf(error)));
      }
      if (failures > 0) await pause(askedMs + fullJitter(failures - 1, { ...timing, random }), stop.signal);
    }
  }

  /** Opens a connection and resolves when it needs a successor, with how long it was open, in ms. */
  async function openNext(): Promise<number> {
    if (newest === null) tell('connecting', 'a connection is opened');
    const url = await connectionUrl(settings, transport, now());
    const connection = await connectToSlack(url, { onFrame, timing, signal: stop.signal });
    const helloAt = performance.now();
    open.add(connection);
    if (newest !== null) void retire(newest, timing.overlapMs);
    newest = connection;
    tell('open', 'events come through Socket Mode');
    const { isAnnounced, reason } = await connection.leaving;
    if (!isAnnounced) {
      newest = null;
      void retire(connection, 0);
      if (!stop.signal.aborted) tell('connecting', reason);
    } else if (reason === LINK_DISABLED) {
      void retire(connection, 0);
      throw new Stopped(FATAL[LINK_DISABLED]);
    }
    return performance.now() - helloAt;
  }

  /** Reads a connection a while longer, since Slack may still send on it, and closes it. */
  async function retire(connection: SlackConnection, overlapMs: number): Promise<void> {
    await Promise.race([pause(overlapMs, stop.signal), connection.closed]);
    await Promise.all(taking);
    await connection.close();
    open.delete(connection);
  }

  const running = keepOpen().catch(broken);
  return {
    async close() {
      stop.abort();
      await transport.close();
      await Promise.all(taking);
      await Promise.all([...open].map((connection) => connection.close()));
      await running;
    },
  };
}

/** Asks for the address of a new connection; its ticket is the only proof that the connection needs. */
async function connectionUrl(
  { token, baseUrl, privateNetwork }: SlackSocketOptions['settings'],
  transport: Transport,
  now: number,
): Promise<string> {
  const answer = await transport.send({
    method: 'POST',
    url: `${baseUrl}/apps.connections.open`,
    headers: {
      authorization: `Bearer ${token.reveal()}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: '',
    privateNetwork: privateNetwork || isPrivateHost(new URL(baseUrl).hostname),
  });
  const json = answerJson(answer);
  const url = URL.parse(textAt(json, 'url') ?? '');
  const error = textAt(json, 'error');
  if (error !== null && error in FATAL)
    throw new Stopped(`Slack refuses Socket Mode (${error}): ${FATAL[error]}`);
  if (answer.status !== 200 || url === null || error !== null) {
    const why = error ?? `status ${answer.status}`;
    throw new Wait(`Slack opens no connection (${why})`, retryAfterMs(answer.headers, now));
  }
  if (url.protocol !== 'wss:' && baseUrl.startsWith('https:'))
    throw new Wait('Slack names a connection that is not encrypted', null);
  return url.href;
}
