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

/** Answers what is not HTTP, too large a head, too slow, or what Node answers by itself, and reports it. */
export function answerBroken(server: Server, refused: (request: RefusedRequest) => void): void {
  /** The last request of each connection. */
  const last = new WeakMap<
    Duplex,
    { readonly request: IncomingMessage; readonly response: ServerResponse }
  >();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    last.set(request.socket, { request, response });
  });
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Duplex) => {
    const { code = '', rawPacket } = error;
    // A sender that went away, or a connection that was only kept open.
    if (!socket.writable || code === 'ECONNRESET' || readBytes(socket) === 0) return void socket.destroy();
    const isTls = rawPacket?.[0] === TLS[0] && rawPacket[1] === TLS[1];
    const status = STATUSES[code] ?? 400;
    const { request, response } = last.get(socket) ?? {};
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

interface Connection {
  readonly socket: Socket;
  /** A request on it whose head is whole, until it is answered, and when that came. */
  asks: { readonly request: IncomingMessage; readonly since: number } | null;
}

/**
 * Bounds the connections of a server in such a way that slow ones can't shut the others out: at the limit the oldest
 * without a whole head makes room, else the oldest whose body is slow. Only when all are busy a new one is refused.
 */
export function limitConnections(server: Server, most: number, now = () => performance.now()): void {
  /** In the order in which they were opened. */
  const open = new Map<Socket, Connection>();

  function makeRoom(): Connection | null {
    const all = [...open.values()];
    const headless = all.find(({ asks }) => asks === null);
    if (headless !== undefined) return headless;
    const before = now() - SLOW_BODY_MS;
    return all.find(({ asks }) => asks?.request.complete === false && asks.since < before) ?? null;
  }

  server.on('connection', (socket: Socket) => {
    if (open.size >= most) {
      const oldest = makeRoom();
      if (oldest === null) return void socket.destroy();
      open.delete(oldest.socket);
      oldest.socket.destroy();
    }
    open.set(socket, { socket, asks: null });
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = open.get(request.socket);
    if (connection === undefined) return;
    connection.asks = { request, since: now() };
    response.once('close', () => {
      if (connection.asks?.request === request) connection.asks = null;
    });
  });
}
