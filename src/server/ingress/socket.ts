import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RefusedRequest } from './unrouted.ts';

/** What Node says of bytes that it can't read as a request; the answers are those that Node itself would give. */
const STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** The first two bytes of a TLS connection: a handshake record, version 3. */
const TLS = [0x16, 0x03] as const;

/**
 * Answers what is not HTTP, too large a head, too slow, or what Node answers by itself, and reports it. `lastOf`: see
 * `limitConnections`.
 */
export function answerBroken(
  server: Server,
  lastOf: (socket: Duplex) => Exchange | null,
  refused: (request: RefusedRequest) => void,
): void {
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Duplex) => {
    const { code = '', rawPacket } = error;
    // A sender that went away, or a connection that was only kept open.
    if (!socket.writable || code === 'ECONNRESET' || readBytes(socket) === 0) return void socket.destroy();
    const isTls = rawPacket?.[0] === TLS[0] && rawPacket[1] === TLS[1];
    const status = STATUSES[code] ?? 400;
    const { request, response } = lastOf(socket) ?? {};
    if (isTls) socket.destroy();
    // The bytes follow a whole request: its sender gets its answer first.
    else if (request?.complete === true && response?.writableFinished === false) {
      response.once('finish', () => endWith(socket, status));
    } else endWith(socket, status);
    refused({ ...targetIn(rawPacket), webhook: null, status, encoding: null, fault: isTls ? 'TLS' : code });
  });
  server.on('checkExpectation', ({ method = '', url = '' }: IncomingMessage, response: ServerResponse) => {
    response.writeHead(417, { connection: 'close' }).end();
    refused({ method, path: pathOf(url), webhook: null, status: 417, encoding: null, fault: null });
  });
  server.on('connect', ({ method = '', url = '' }: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    endWith(socket, 405, 'Allow: POST\r\n');
    refused({ method, path: pathOf(url), webhook: null, status: 405, encoding: null, fault: 'CONNECT' });
  });
}

function endWith(socket: Duplex, status: number, headers = ''): void {
  if (!socket.writable) return;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}Connection: close\r\n\r\n`);
}

function pathOf(target: string): string {
  return target.split(/[?#]/, 1)[0] ?? '';
}

function readBytes(socket: Duplex): number {
  return 'bytesRead' in socket ? Number(socket.bytesRead) : 0;
}

/** Method and path, without the query, where the bytes begin with them. */
function targetIn(bytes: Buffer | undefined): Pick<RefusedRequest, 'method' | 'path'> {
  const start = bytes?.toString('latin1', 0, 2_000) ?? '';
  const [, method = '', path = ''] = /^([A-Za-z]{1,20}) (\/[^\s?#]*)/.exec(start) ?? [];
  return { method, path };
}

/** A body that takes longer than this, in milliseconds, may make room for somebody else's request. */
const SLOW_BODY_MS = 2_000;

/** A request whose head is whole, when that came, and its answer. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly since: number;
}

/**
 * Bounds the connections of a server in such a way that slow ones can't shut the others out: at the limit the oldest
 * without a whole head makes room, else the oldest whose body is slow. Only when all are busy a new one is refused.
 * Returns the last exchange of an open connection.
 */
export function limitConnections(
  server: Server,
  most: number,
  now = () => performance.now(),
): (socket: Duplex) => Exchange | null {
  /** The last exchange of each, in the order in which they were opened. */
  const open = new Map<Duplex, Exchange | null>();

  function makeRoom(): Duplex | null {
    const all = [...open];
    const headless = all.find(([, last]) => last === null || last.response.closed);
    if (headless !== undefined) return headless[0];
    const before = now() - SLOW_BODY_MS;
    return all.find(([, last]) => last?.request.complete === false && last.since < before)?.[0] ?? null;
  }

  server.on('connection', (socket: Socket) => {
    if (open.size >= most) {
      const oldest = makeRoom();
      if (oldest === null) return void socket.destroy();
      open.delete(oldest);
      oldest.destroy();
    }
    open.set(socket, null);
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (open.has(request.socket)) open.set(request.socket, { request, response, since: now() });
  });
  return (socket) => open.get(socket) ?? null;
}
