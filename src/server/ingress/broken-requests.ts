import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
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
