import type { PipelineContext } from '../../deliveries/context.ts';
import { suggest } from '../../lib/suggest.ts';
import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import { NO_WEBHOOK, OPERATOR, type Webhook } from '../../types.ts';

/** A request that the ingress refused before any webhook looked at it: wrong address, method or form. */
export interface RefusedRequest {
  readonly method: string;
  /** Raw, as it came. */
  readonly path: string;
  readonly status: number;
  /** Where the path leads; null when it leads nowhere. */
  readonly webhook: Webhook | null;
  /** Of its body; null when it has none. */
  readonly encoding: string | null;
  /** `TLS`, or Node's code of why its bytes could not be read as a request; null when they could. */
  readonly fault: string | null;
  /** Name of the handshake that it asks, unsigned and not awaited. Left out or null when it asks none. */
  readonly handshake?: string | null;
}

/** The row of a refused request. */
export interface UnroutedRow {
  readonly id: string;
  readonly webhook: string;
  readonly status: number;
  /** What came, why it was refused, and what to do. */
  readonly reason: string;
}

interface UnroutedParts {
  readonly context: Pick<PipelineContext, 'store' | 'clock' | 'ids' | 'limits' | 'snapshot'>;
  readonly managementUrl: () => string;
  readonly written: (row: UnroutedRow) => void;
  /** Called for a request without a row: rows like it come too often. */
  readonly uncounted: () => void;
  readonly broken: (error: unknown) => void;
}

/** Records requests that reached no webhook, at most a few a second, after their answer. */
export function unroutedRecorder(parts: UnroutedParts): (request: RefusedRequest) => void {
  const { context, written, uncounted, broken } = parts;
  const { store, clock, ids, limits } = context;
  return (request) => {
    if (!limits.mayRecordUnrouted()) return uncounted();
    const { method, path, status, webhook } = request;
    const came =
      method === ''
        ? 'A connection'
        : `${shorten(escapeInvisibleLine(method), 12)} ${shorten(escapeInvisibleLine(path), 80)}`;
    const row = {
      id: ids.next('dlv'),
      webhook: webhook?.name ?? NO_WEBHOOK,
      reason: `${came}: ${adviceFor(request, parts)}`,
    };
    const rejection = {
      ...row,
      webhookId: webhook?.origin.kind === 'dynamic' ? webhook.origin.webhookId : null,
      owner: webhook?.owner ?? OPERATOR,
      provider: webhook?.provider.name ?? NO_WEBHOOK,
      senderDeliveryId: null,
      eventType: null,
      size: 0,
      receivedAt: clock.now(),
    };
    store.reject(rejection).then(() => written({ ...row, status }), broken);
  };
}

/** Paths of the management socket, with which it is taken for the ingress. */
const MANAGEMENT = /^\/+(?:api|mcp|hooks|metrics|readyz)(?:\/|$)/;

function adviceFor(request: RefusedRequest, parts: UnroutedParts): string {
  const { status, webhook, path, encoding, fault, handshake = null } = request;
  if (fault !== null) return brokenAdvice(fault);
  if (handshake !== null) {
    return `an unsigned handshake (${handshake}) that no one awaits. If you set the sender up now: hookctl webhook await ${webhook?.name}, then have it ask again`;
  }
  switch (status) {
    case 404:
      return `no webhook is there. ${nearest(path, parts)}`;
    case 405:
      return path === '/healthz'
        ? 'it answers GET alone. Set the sender to the address of a webhook: hookctl webhook list'
        : `${webhook?.name} takes ${webhook?.provider.methods?.join(', ') ?? 'POST'} alone. A browser shows nothing here; set the sender to ${webhook?.provider.methods?.[0] ?? 'POST'}`;
    case 413:
      return 'its body is too large. Have the sender send less in one request';
    case 417:
      return 'its Expect header asks for something else than 100-continue. Have the sender leave it out';
    case 503:
      return 'hookctl held as many large bodies as it may. Have the sender send it again later';
    case 415:
      return `its body is compressed (${shorten(escapeInvisibleLine(encoding ?? ''), 20)}). Switch that off at the sender, or at the proxy before hookctl`;
    default:
      return 'it does not have exactly one Host header. Look at the proxy before hookctl';
  }
}

function brokenAdvice(fault: string): string {
  switch (fault) {
    case 'TLS':
      return 'it speaks TLS, this port plain HTTP. Write http:// at the sender, or have a tunnel or a proxy take TLS off';
    case 'CONNECT':
      return 'it takes hookctl for a proxy. Have the sender send POST to the address of a webhook: hookctl webhook list';
    case 'HPE_HEADER_OVERFLOW':
      return 'its headers are larger than 8 KB. Look at what the proxy before hookctl adds';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'its head took longer than 10 s, or all of it longer than 15 s. Look at the network of the sender';
    default:
      return `it is not valid HTTP (${shorten(escapeInvisibleLine(fault), 40)}). Look at the sender, or at the proxy before hookctl`;
  }
}

/** Where the sender may have meant to go, and what to type. */
function nearest(path: string, { context, managementUrl }: UnroutedParts): string {
  if (MANAGEMENT.test(path)) return `Management answers at ${managementUrl()}: hookctl api GET /api/status`;
  const endpoints = [...context.snapshot().byEndpoint.keys()];
  const plain = plainPath(path);
  const same = endpoints.find((endpoint) => plainPath(endpoint) === plain);
  if (same !== undefined) return `Write ${same} at the sender, exactly so`;
  const name = plain.split('/').at(-1) ?? '';
  if (wasRemoved(name, context)) {
    return `The webhook ${shorten(name, 60)} was removed. Delete it at the sender, or add it again: hookctl webhook add`;
  }
  const lastParts = new Map(endpoints.map((endpoint) => [endpoint.split('/').at(-1) ?? '', endpoint]));
  const near =
    lastParts.get(name) ??
    suggest(plain, endpoints) ??
    lastParts.get(suggest(name, [...lastParts.keys()]) ?? '');
  return near === undefined
    ? 'The addresses that lead somewhere: hookctl webhook list'
    : `Did you mean ${near}? Write that at the sender`;
}

/** Without what people add by accident: capitals, escapes, a slash or a full stop at the end. */
function plainPath(path: string): string {
  const single = path.replace(/\/{2,}/g, '/');
  return decodedOrSame(URL.parse(single, 'http://localhost')?.pathname ?? single)
    .toLowerCase()
    .replace(/[/.,;:)>\]"']{1,8}$/, '');
}

function decodedOrSame(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Removals that are looked through. */
const REMOVALS = 100;

function wasRemoved(name: string, { store, snapshot }: UnroutedParts['context']): boolean {
  if (name === '' || snapshot().byName.has(name)) return false;
  if (store.countsByWebhook([name]).length > 0) return true;
  return store
    .audit({ what: 'webhook.remove', limit: REMOVALS })
    .some(({ details }) => details.webhook === name);
}
