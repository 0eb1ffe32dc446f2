import type { Server } from 'node:http';
import { failure, type HookctlError } from '../../errors.ts';
import { portOwner } from '../process/port-owner.ts';
import { closeServer, listen } from './http-server.ts';

/** Where a server is to listen, and the flag by which the user chooses another port. */
interface ListenAddress {
  readonly host: string;
  readonly port: number;
  readonly flag: string;
}

/** Starts to listen; resolves with the port. Throws `port_in_use` naming who has it, or `listen`. */
export async function listenOrExplain(server: Server, place: ListenAddress): Promise<number> {
  try {
    return await listen(server, place);
  } catch (error) {
    throw await explain(error, place);
  }
}

/** Stops accepting and resolves when the last request has ended; after `graceMs` what is open is cut. */
export async function closeGently(servers: readonly Server[], graceMs: number): Promise<void> {
  const cut = setTimeout(() => {
    for (const server of servers) server.closeAllConnections();
  }, graceMs);
  await Promise.all(servers.map(closeServer));
  clearTimeout(cut);
}

async function explain(error: unknown, { host, port, flag }: ListenAddress): Promise<HookctlError> {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE') {
    const facts = { cause: error, fix: `Choose another with ${flag}.` };
    return failure('listen', `can't listen on ${host}:${port}: ${message}`, facts);
  }
  const owner = await portOwner(port);
  return failure('port_in_use', `port ${port} is taken${owner === null ? '' : ` by ${owner}`}`, {
    fix: `Choose another port: ${flag} ${port + 100}`,
  });
}
