import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type GithubApp, writeApp } from '../../src/github-app/record.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import { openStore } from '../../src/store/local/index.ts';
import { databasePath } from '../../src/store/local/sqlite.ts';
import type { Connection } from '../../src/types.ts';
import { PEM } from '../support/github-app.ts';
import { type DeliveryLog, deliveryLog } from '../support/hook-apis/delivery-log.ts';
import { githubApi } from '../support/hook-apis/github.ts';
import {
  type KeptHook,
  type LoopbackApi,
  type LoopbackSpec,
  startLoopback,
} from '../support/hook-apis/loopback.ts';
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
  readonly api: LoopbackApi;
  readonly log: DeliveryLog;
  readonly hook: KeptHook;
}

interface ProjectOptions extends NonNullable<Parameters<typeof deliveryLog>[1]> {
  /** The hook of a GitHub App, in place of a repository's. */
  readonly isApp?: boolean;
}

/** A project whose webhook is connected to a loopback GitHub, as if it had been an hour ago. */
export async function connectedProject(yaml: string, options: ProjectOptions = {}): Promise<Project> {
  const { isApp = false } = options;
  const log = deliveryLog(isApp ? appApi : githubApi, options);
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
    ...{ id: api.nextId(), place: isApp ? '/app/hook' : '/repos/acme/api', url: `${url}/webhooks/github` },
    ...{ secret: SECRET, events: ['issue_comment', 'issues'], isActive: true },
  };
  api.hooks.push(hook);
  await mkdir(sandbox.dataFolder, { mode: 0o700, recursive: true });
  if (isApp) await writeApp(sandbox.dataFolder, appAt(api.url()));
  await addConnection(sandbox, hook, api.url(), isApp);
  return { sandbox, port, api, log, hook };
}

const SLUG = 'acme-hookctl';

/** What an App is asked about its hook, with a JWT of its own. */
const appApi: LoopbackSpec = {
  isAuthorized: ({ authorization = '' }) => /^Bearer ey[\w-]+\.[\w-]+\.[\w-]+$/.test(authorization),
  route({ method, path, body }, { hooks: [hook] }) {
    if (path !== '/app/hook/config' || hook === undefined) return null;
    if (method === 'PATCH' && typeof body.url === 'string') hook.url = body.url;
    return { status: 200, json: { url: hook.url, content_type: 'json', secret: '********' } };
  },
};

function appAt(apiUrl: string): GithubApp {
  return {
    ...{ id: '4242', slug: SLUG, webUrl: apiUrl, apiUrl, privateNetwork: true, webhook: 'github' },
    ...{ key: secret(PEM), clientId: 'Iv1.0', clientSecret: secret('client-secret') },
    ...{ webhookSecret: null, botId: null, createdAt: Date.now() },
  };
}

async function addConnection(
  { dataFolder }: Sandbox,
  hook: KeptHook,
  apiUrl: string,
  isApp: boolean,
): Promise<void> {
  const store = await openStore({ path: databasePath(dataFolder), redact: (text) => text });
  hook.url = `${hook.url}?hookctl=${store.installationId()}`;
  const at = Date.now() - 3_600_000;
  const connection: Connection = {
    ...{ id: 'con-1', connector: 'github', webhook: 'github', webhookId: null },
    ...(isApp
      ? { kind: 'app', target: SLUG, remoteId: SLUG }
      : { kind: 'repository', target: 'acme/api', remoteId: hook.id }),
    ...{ apiUrl, url: hook.url, events: hook.events },
    ...{ fingerprint: null, isAdopted: false, isPaused: false, problem: null },
    ...{ createdAt: at, pointedAt: at, checkedAt: null },
  };
  await store.addConnection(connection);
  await store.close();
}

export const lastAwake = ({ sandbox }: Project) => join(sandbox.dataFolder, 'last-awake');
