import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Engine } from '../../deliveries/engine.ts';
import { type Obtained, type Receipt, receive } from '../../deliveries/receive.ts';
import { flattenHeaders } from '../../lib/http/headers.ts';
import { createKeyLock } from '../../lib/key-lock.ts';
import { PROBE_HEADER, PROBE_PATH } from '../../tunnels/prober.ts';
import type { Ack, Headers, RawRequest, Snapshot, Webhook } from '../../types.ts';
import { type BodyFailure, createBodyReader } from './body.ts';
import type { Handshakes } from './handshakes.ts';
import { answerBroken, limitConnections } from './socket.ts';
import type { RefusedRequest } from './unrouted.ts';

/** Names the delivery in every answer to a request that was stored. */
export const DELIVERY_HEADER = 'x-hookctl-delivery';

/** Limits that Node leaves open or wide; milliseconds and bytes. */
const LIMITS = {
  headerBytes: 8 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  checkInterval: 1_000,
  connections: 256,
} as const;

/** What the ingress needs: where a path leads, and what to do with a request that came whole. */
interface IngressOptions {
  readonly snapshot: () => Snapshot;
  /** Verifies, stores and answers. A throw becomes 503, because nothing was promised yet. */
  readonly receive: (webhook: Webhook, request: RawRequest) => Promise<Receipt>;
  /** The URL under which senders outside reach an endpoint. Left out: unknown. */
  readonly publicUrl?: (endpoint: string) => string;
  /** The address of a sender; null when unknown. Left out: unknown. */
  readonly clientOf?: (request: IncomingMessage) => string | null;
  /** Answers what senders ask before they send. Left out: no handshake is answered. */
  readonly handshakes?: Pick<Handshakes, 'answer'>;
  /** Knows the probes of our own tunnel; they are answered, and never become deliveries. */
  readonly acceptProbe: (path: string, headers: Headers) => boolean;
  /** Called with every answer. `seconds`: since the head of its request was read. */
  readonly onAnswered?: (status: number, seconds: number) => void;
  /** Called with a request that was refused before any webhook looked at it. */
  readonly onRefused?: (request: RefusedRequest) => void;
  /** Called with the error of a request that could not be stored. */
  readonly onError: (error: unknown) => void;
}

/**
 * The public socket, and the only one that a tunnel may point at: `POST /webhooks/…` (or the methods that a webhook names),
 * handshakes of webhooks that have one, and `GET /healthz`, nothing else. Routed on the raw path: `new URL()` would turn `/webhooks/../api/x` into `/api/x`.
 */
export function createIngress(options: IngressOptions): Server {
  const readBody = createBodyReader();
  const lock = createKeyLock();
  const server = createServer({
    maxHeaderSize: LIMITS.headerBytes,
    headersTimeout: LIMITS.headersTimeout,
    requestTimeout: LIMITS.requestTimeout,
    connectionsCheckingInterval: LIMITS.checkInterval,
  });
  const exchanges = limitConnections(server, LIMITS.connections);
  answerBroken(server, exchanges, (request) => {
    options.onRefused?.(request);
    options.onAnswered?.(request.status, 0);
  });
  server.on('request', (request, response) => void respond(request, response));
  // A sender may close its side once it has sent everything; Node would leave it without its answer.
  return Object.assign(server, { httpAllowHalfOpen: true });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const start = performance.now();
    let answer: Answer;
    try {
      answer = await answerTo(request);
    } catch (error) {
      options.onError(error);
      answer = refusal(503, 'unavailable', { 'retry-after': '5' });
    }
    send(response, answer);
    if (answer !== null) options.onAnswered?.(answer.status, (performance.now() - start) / 1000);
  }

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const [path = '', query = ''] = splitTarget(request.url ?? '');
    if (countHeader(request, 'host') !== 1) return refuse({ request, path }, 400, 'one_host_header');
    if (path === '/healthz') return isLook(request) ? HEALTHY : refuse({ request, path }, ...ONLY_GET);
    const headers = flattenHeaders(request.headers);
    if (path === PROBE_PATH && options.acceptProbe(path, headers)) return probed(headers);
    const webhook = options.snapshot().byEndpoint.get(path);
    if (webhook === undefined) return refuse({ request, path }, 404, 'unknown_webhook');
    const found = { request, path, webhook };
    const { method = '' } = request;
    const { methods = POST, handshakes: asking } = webhook.provider;
    const handshakes = asking === undefined ? undefined : options.handshakes;
    const isDelivery = methods.includes(method);
    if (!isDelivery && handshakes === undefined) return refuse(found, ...otherMethod(methods));
    // Skip the body: a disabled webhook never reads it.
    if (!webhook.enabled)
      return delivered(await options.receive(webhook, { headers, body: NO_BYTES, query }));
    if (!isIdentity(request)) return refuse(found, 415, 'content_encoding');

    const read = await readBody(request, webhook.provider.bodyLimit);
    if (!read.ok) return read.why === 'closed' ? null : refuse(found, ...UNREAD[read.why]);
    const { publicUrl, clientOf } = options;
    const { socket } = request;
    const raw: RawRequest = {
      ...{ headers, body: read.body, query, method, path },
      ...(socket.remoteAddress !== undefined && { address: socket.remoteAddress }),
      ...(clientOf !== undefined && { client: () => clientOf(request) }),
      ...(publicUrl !== undefined && { publicUrl: () => publicUrl(path) }),
    };
    const take = () => options.receive(webhook, raw);
    try {
      const unsigned = webhook.provider.answerUnsigned?.(raw) ?? null;
      if (unsigned !== null) return unsigned;
      const asked = (await handshakes?.answer(webhook, method, raw)) ?? null;
      if (asked?.kind === 'answered') return asked.ack;
      // A POST is answered as every request without a signature that fits: a stranger learns nothing of the handshake.
      if (asked !== null && isDelivery) return refuse({ ...found, handshake: asked.name }, 401, null);
      if (!isDelivery) return refuse({ ...found, handshake: asked?.name ?? null }, ...otherMethod(methods));
      return delivered(await (read.body.byteLength > LARGE_BYTES ? lock(['large body'], take) : take()));
    } finally {
      read.release();
    }
  }

  function refuse(
    { request, path, webhook = null, handshake = null }: Found,
    ...answer: Parameters<typeof refusal>
  ): Ack {
    const { method = '', headers } = request;
    const encoding = headers['content-encoding'] ?? null;
    options.onRefused?.({ method, path, webhook, status: answer[0], encoding, fault: null, handshake });
    return refusal(...answer);
  }
}

/** A body from which on its text, its values and its record take much memory beside it. */
const LARGE_BYTES = 1024 * 1024;

const NO_BYTES = Buffer.alloc(0);

/** A request, and how far its way was found. */
interface Found {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly webhook?: Webhook | null;
  /** See `RefusedRequest`. */
  readonly handshake?: string | null;
}

const POST: readonly string[] = ['POST'];

function otherMethod(methods: readonly string[]): Parameters<typeof refusal> {
  return [405, 'method_not_allowed', { allow: methods.join(', ') }];
}

const UNREAD: Record<Exclude<BodyFailure, 'closed'>, Parameters<typeof refusal>> = {
  too_large: [413, 'body_too_large'],
  busy: [503, 'busy', { 'retry-after': '5' }],
};
const ONLY_GET = [405, 'method_not_allowed', { allow: 'GET' }] as const;
const HEALTHY: Ack = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: '{"status":"ok"}',
};

/** Null when the sender is gone. */
type Answer = Ack | null;

function send(response: ServerResponse, answer: Answer): void {
  if (answer === null) return void response.destroy();
  // A refused sender may not keep the connection, nor send on what will not be read.
  const headers = answer.status >= 400 ? { ...answer.headers, connection: 'close' } : answer.headers;
  response.writeHead(answer.status, { ...headers, 'content-length': Buffer.byteLength(answer.body) });
  response.end(answer.body);
}

function isLook({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** The id goes along in a header, because the body may be one that the provider insists on. */
function delivered({ ack, deliveryId, status }: Receipt): Answer {
  return status === 'rejected' || status === 'limited'
    ? ack
    : { ...ack, headers: { ...ack.headers, [DELIVERY_HEADER]: deliveryId } };
}

/** The header goes back, which shows that the answer, too, found its way. */
function probed(headers: Headers): Answer {
  return { status: 204, headers: { [PROBE_HEADER]: headers[PROBE_HEADER] ?? '' }, body: '' };
}

function refusal(status: number, error: string | null, headers: Headers = {}): Ack {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(error === null ? {} : { error }),
  };
}

function splitTarget(target: string): readonly string[] {
  const at = target.indexOf('?');
  return at < 0 ? [target] : [target.slice(0, at), target.slice(at + 1)];
}

/** A compressed body would have to be unpacked before its sender is verified. */
function isIdentity({ headers }: IncomingMessage): boolean {
  return ['', 'identity'].includes((headers['content-encoding'] ?? '').toLowerCase());
}

/** Node shows the first of two Host headers; a hop before it may have acted on the other. */
function countHeader({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at] ?? '';
    if (header.length === name.length && header.toLowerCase() === name) count += 1;
  }
  return count;
}

interface ReceiverParts extends Pick<Engine, 'context' | 'queue'> {
  /** Called with every receipt, those without a row among them. */
  readonly received: (receipt: Receipt) => void;
}

/**
 * Steps 1–5 for the ingress; what is to be worked off goes into the queue and is not waited for. Throws `queue_full`, or
 * what the store says, before anything is promised.
 */
export function receiver({ context, queue, received }: ReceiverParts) {
  return async (
    webhook: Webhook,
    request: RawRequest,
    obtained: Obtained | null = null,
  ): Promise<Receipt> => {
    queue.requireRoom();
    const receipt = await receive(context, webhook, request, obtained);
    received(receipt);
    const { deliveryId: id, externalId, status, result } = receipt;
    if (result !== null) queue.passBy(result);
    if (status === 'pending')
      void queue.push({ id, externalId, attempts: 0, nextAttemptAt: null }, receipt.parsedDelivery);
    return receipt;
  };
}
