import { createServer } from 'node:net';
import { join } from 'node:path';
import { openStore } from '../../src/store/local/index.ts';
import { databasePath } from '../../src/store/local/sqlite.ts';
import type { Connection } from '../../src/types.ts';
import { type DeliveryLog, deliveryLog } from '../support/hook-apis/delivery-log.ts';
import { githubApi } from '../support/hook-apis/github.ts';
import { type KeptHook, startLoopback } from '../support/hook-apis/loopback.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { SECRET } from '../support/secret.ts';

/** A port of loopback that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export interface Project {
  readonly sandbox: Sandbox;
  readonly port: number;
  readonly log: DeliveryLog;
  readonly hook: KeptHook;
}

/** A project whose webhook is connected to a repository at a loopback GitHub, as if nothing had been served for an hour. */
export async function connectedProject(
  yaml: string,
  options: Parameters<typeof deliveryLog>[1] = {},
): Promise<Project> {
  const log = deliveryLog(githubApi, options);
  const api = await startLoopback(log.spec);
  const port = await freePort();
  // Not the address of the ingress itself, behind which hookctl sees no way from outside.
  const url = `http://localhost:${port}`;
  const head = `publicUrl: ${url}
credentials: { github: { tokenEnv: TOKEN, baseUrl: '${api.url()}', privateNetwork: true } }
`;
  const sandbox = await sandboxForTest({
    files: { 'webhooks.yml': head + yaml },
    env: { TOKEN: 'token-of-github' },
  });
  const hook: KeptHook = {
    ...{ id: api.nextId(), place: '/repos/acme/api', url: `${url}/webhooks/github`, secret: SECRET },
    ...{ events: ['issue_comment', 'issues'], isActive: true },
  };
  api.hooks.push(hook);
  await addConnection(sandbox, hook, api.url());
  return { sandbox, port, log, hook };
}

async function addConnection({ dataFolder }: Sandbox, hook: KeptHook, apiUrl: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(dataFolder, { mode: 0o700, recursive: true });
  const store = await openStore({ path: databasePath(dataFolder), redact: (text) => text });
  hook.url = `${hook.url}?hookctl=${store.installationId()}`;
  const at = Date.now() - 3_600_000;
  const connection: Connection = {
    ...{ id: 'con-1', connector: 'github', webhook: 'github', webhookId: null, kind: 'repository' },
    ...{ target: 'acme/api', apiUrl, remoteId: hook.id, url: hook.url, events: hook.events },
    ...{ fingerprint: null, isAdopted: false, isPaused: false, problem: null },
    ...{ createdAt: at, pointedAt: at, checkedAt: null },
  };
  await store.addConnection(connection);
  await store.close();
}

export const lastAwake = ({ sandbox }: Project) => join(sandbox.dataFolder, 'last-awake');
