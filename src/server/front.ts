import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** A socket that stays open while what answers on it is exchanged. */
export interface Front {
  readonly server: Server;
  /** Passes requests on to a server that does not listen itself; null: they are told to come again. */
  leadTo(server: Server | null): void;
  /** Resolves when everything that was passed on is answered, or after `graceMs`. */
  idle(graceMs: number): Promise<void>;
}

/** In seconds. */
const RETRY_AFTER = '5';

/** `body`: what is answered, as JSON, with a 503 while nothing stands behind the socket. */
export function frontOf(server: Server, body: string): Front {
  const open = new Set<ServerResponse>();
  let behind: Server | null = null;
  let nowIdle: () => void = () => undefined;

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (behind === null) return refuse(request, response, body);
    open.add(response);
    response.once('close', () => {
      open.delete(response);
      if (open.size === 0) nowIdle();
    });
    behind.emit('request', request, response);
  });

  return {
    server,
    leadTo(next) {
      behind = next;
    },
    async idle(graceMs) {
      if (open.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, graceMs);
      nowIdle = resolve;
      await promise;
      clearTimeout(timer);
    },
  };
}

/** It is alive all the same, which is what `/healthz` asks. */
function refuse({ url, method }: IncomingMessage, response: ServerResponse, body: string): void {
  const alive = url === '/healthz' && (method === 'GET' || method === 'HEAD');
  const text = alive ? '{"status":"ok"}' : body;
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  response.writeHead(
    alive ? 200 : 503,
    alive ? headers : { ...headers, 'retry-after': RETRY_AFTER, connection: 'close' },
  );
  response.end(text);
}
