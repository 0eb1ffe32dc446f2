import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts to listen; resolves with the port, which the system chose when 0 was asked for. Rejects with Node's error. */
export function listen(
  server: Server,
  options: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...options, exclusive: true }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Takes no more connections, lets running requests end, and resolves when the last is gone. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
