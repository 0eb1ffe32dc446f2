import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ConnectContext } from '../../src/connect/context.ts';
import { openGithubApps } from '../../src/github-app/apps.ts';
import { createIds } from '../../src/lib/ids.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import { createTransport } from '../../src/outbox/transport.ts';
import { openStore } from '../../src/store/local/index.ts';
import type { Account, Webhook } from '../../src/types.ts';
import { providerNamed } from '../support/providers.ts';

export interface ProgramOrder {
  /** Of the store; the secret that a sender made is beside it. */
  readonly path: string;
  readonly apiUrl: string;
  readonly connector: string;
  readonly publicUrl: string;
  readonly secret: string;
}

/** What connections are made with, without a test around it: for a program that is killed. */
export async function programContext(
  given: ProgramOrder,
): Promise<ConnectContext & { close(): Promise<void> }> {
  const { connector, path } = given;
  const provider = providerNamed(connector);
  if (provider === null) throw new Error(`there is no provider ${connector}`);
  const file = `${path}.secret`;
  const command = { targetAgent: 'brain', requiresApproval: false, approval: null, options: {} };
  const template = { source: 'See', compiled: () => Promise.reject(new Error('nothing is rendered here')) };
  const webhook: Webhook = {
    ...{ name: 'mine', providerName: connector, provider, endpoint: '/webhooks/mine' },
    origin: { kind: 'dynamic', webhookId: 'wh-1' },
    ...{
      mode: 'live',
      owner: 'operator',
      labels: [],
      variants: [],
      enabled: true,
      secretSource: 'its own',
      commandPrefix: '@agent',
      requirePrefix: true,
    },
    secrets: [
      { value: secret(existsSync(file) ? readFileSync(file, 'utf8') : given.secret), expiresAt: null },
    ],
    ...{ targetAgent: 'brain', defaultCommand: null, events: [], syncToClaudeTasks: false },
    allow: { associations: [], users: [], apps: [] },
    commands: [
      {
        ...{ ...command, id: 'cmd-1', kind: 'trigger', action: 'create_task', template },
        trigger: connector === 'stripe' ? 'invoice.paid' : 'issues.opened',
        conditions: { source: {}, unmet: () => null },
        priority: 100,
        coalesce: null,
        variants: [],
      },
    ],
    ...{ allowUnverifiable: false, trustFetched: false, options: {} },
  };
  const account: Account = {
    ...{ provider: connector, baseUrl: given.apiUrl, token: secret(`token-of-${connector}`) },
    ...{ user: null, privateNetwork: false },
  };
  const store = await openStore({ path });
  const transport = createTransport();
  const webhooks = [webhook];
  return {
    store,
    accounts: { byProvider: new Map([[connector, account]]), missing: new Map(), bare: new Map() },
    apps: openGithubApps({
      ...{ dataFolder: dirname(path), now: Date.now, userAgent: 'hookctl/test', learn: () => undefined },
      transport,
    }),
    dataFolder: dirname(path),
    snapshot: () => ({
      webhooks,
      byEndpoint: new Map([[webhook.endpoint, webhook]]),
      byName: new Map([[webhook.name, webhook]]),
      byWebhookId: new Map([['wh-1', webhook]]),
    }),
    clock: { now: Date.now },
    ids: createIds(Date.now),
    transport,
    publicUrlOf: (endpoint) => given.publicUrl + endpoint,
    async saveSecret(_, made) {
      writeFileSync(file, made.reveal());
      return true;
    },
    async close() {
      await Promise.all([store.close(), transport.close()]);
    },
  };
}
