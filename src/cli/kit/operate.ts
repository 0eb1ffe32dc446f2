import { failure } from '../../errors.ts';
import type { ManagementAddress, ManagementClient } from '../../server/client.ts';
import type { Operations } from '../../server/operations.ts';
import type { StatusView } from '../../server/status.ts';
import type { Services } from '../../services.ts';

/**
 * What changes deliveries and tasks: through the running server, or, with none, in this process under the folder's
 * lock. Throws `in_use` when the folder is held by something that is no server.
 */
export async function operations(app: Services, command: string): Promise<Operations> {
  return (await serverClient(app)) ?? ownOperations(app, command);
}

/** The running server's management API; null when none runs. */
export async function serverClient(app: Services): Promise<ManagementClient | null> {
  const address = await serverAddress(app);
  return address === null ? null : (await import('../../server/client.ts')).managementClient(address);
}

/** The running server's state; null when none runs. */
export async function served(app: Services): Promise<StatusView | null> {
  return (await serverClient(app))?.status() ?? null;
}

/** Where the running server's management API is, with its token; null when none runs. */
export async function serverAddress(app: Services): Promise<ManagementAddress | null> {
  const server = app.holder()?.server ?? null;
  if (server === null) return null;
  const { dataFolder } = app.located;
  const { readToken } = await import('../../server/credentials.ts');
  const token = await readToken(dataFolder);
  if (token === null)
    throw failure('no_token', `there is no management token in ${dataFolder}`, {
      fix: 'Restart `hookctl serve`.',
    });
  return { port: server.managementPort, token, actor: app.actor };
}

async function ownOperations(app: Services, command: string): Promise<Operations> {
  const { auditedOperations } = await import('../../server/audited-operations.ts');
  const { localOperations } = await import('../../server/operations.ts');
  const configuration = await app.configuration({ createMissing: false });
  await app.hold(command);
  const { context, queue, outbox } = await app.engine({
    configuration,
    snapshot: () => configuration.snapshot,
    insecure: new Set(),
    onSettled: () => undefined,
  });
  const local = localOperations(context, queue, app.located.dataFolder, outbox);
  return auditedOperations(local, (what, target, details) => app.audit([{ what, target, details }]));
}
