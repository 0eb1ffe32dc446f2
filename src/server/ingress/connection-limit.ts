import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

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
