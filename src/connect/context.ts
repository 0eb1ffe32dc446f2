import { createHmac } from 'node:crypto';
import type { Accounts } from '../config/accounts.ts';
import { failure, notFound, usageError } from '../errors.ts';
import type { GithubApps } from '../github-app/apps.ts';
import type { IdSource } from '../lib/ids.ts';
import { suggestion } from '../lib/suggest.ts';
import type { Clock } from '../lib/time.ts';
import type { Transport } from '../outbox/transport.ts';
import { hookctlVersion } from '../package-root.ts';
import { loadProvider } from '../providers/index.ts';
import type { Store } from '../store/store.ts';
import type { Account, Connection, Secret, Snapshot, Webhook } from '../types.ts';
import { openApi, type SenderApi } from './api.ts';
import type { Connector, Target } from './connector.ts';
import { CONNECTORS, loadConnector } from './connectors/index.ts';

/** What connections are made and kept with. */
export interface ConnectContext {
  readonly store: Store;
  /** Where tokens that Slack renews are kept. */
  readonly dataFolder: string;
  readonly accounts: Accounts;
  /** hookctl's own Apps, whose hooks are asked about with their keys: those of `engine.context`. */
  readonly apps: GithubApps;
  /** The webhooks in force. */
  readonly snapshot: () => Snapshot;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly transport: Transport;
  /** Where senders reach an endpoint from outside; null while nothing leads here. */
  readonly publicUrlOf: (endpoint: string) => string | null;
  /** Makes the secret that a sender made the webhook's own. False when only a person can: it is read from a variable. */
  readonly saveSecret: (webhook: Webhook, secret: Secret) => Promise<boolean>;
  /** How long one call may wait for limits and a failing server, in milliseconds. Default 45 s. */
  readonly patienceMs?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/** What a sender is asked with. */
export type AskContext = Pick<
  ConnectContext,
  'dataFolder' | 'accounts' | 'apps' | 'transport' | 'clock' | 'patienceMs' | 'signal'
>;

/** A sender, ready to be asked about one target. */
export interface Opened {
  readonly connector: Connector;
  readonly target: Target;
  readonly api: SenderApi;
  readonly account: Account;
}

/** Throws `usage` with the senders at which hooks can be made. */
export async function connectorNamed(name: string): Promise<Connector> {
  const connector = await loadConnector(name);
  if (connector !== null) return connector;
  throw usageError(`hookctl makes no hooks at ${name}`, suggestion(name, CONNECTORS));
}

/** Throws `no_account` when nothing says who asks. */
export async function openSender(
  { dataFolder, accounts, apps, transport, clock, patienceMs, signal }: AskContext,
  given: Connector,
  target: Target,
): Promise<Opened> {
  const { name, accountName = name } = given;
  const app = target.kind === 'app' ? apps.named(target.name) : null;
  const account = app?.account ?? accounts.byProvider.get(accountName);
  if (account === undefined) {
    throw failure('no_account', accounts.missing.get(accountName) ?? `there is no account for ${name}`, {
      fix: `Set the variable before hookctl starts, or credentials.${accountName} in webhooks.yml (docs/connect.md).`,
    });
  }
  const connector = (await given.at?.(account)) ?? given;
  const reply = (await loadProvider(name))?.reply;
  const authorize = connector.authorize ?? reply?.authorize;
  const classify = connector.classify ?? reply?.classify;
  const [userAgent, { now }] = [`hookctl/${hookctlVersion()}`, clock];
  const own =
    accountName === 'slack-config'
      ? async () => {
          const { slackAuthorization } = await import('./slack-token.ts');
          return slackAuthorization({ dataFolder, transport, account, userAgent, now });
        }
      : () => authorize?.(account) ?? {};
  const api = openApi({
    account,
    authorize: app?.authorize ?? own,
    ...(classify !== undefined && { classify }),
    transport,
    ...{ userAgent, now },
    ...(patienceMs !== undefined && { patienceMs }),
    ...(signal !== undefined && { signal }),
    right: (answer) => connector.right(target, answer, account),
  });
  return { connector, target, api, account };
}

/** The same for a connection that exists. Throws `other_account` when the account is another site's now. */
export async function openConnected(context: AskContext, connection: Connection): Promise<Opened> {
  const { kind, target: name, apiUrl } = connection;
  const opened = await openSender(context, await connectorNamed(connection.connector), { kind, name });
  if (opened.account.baseUrl === apiUrl) return opened;
  throw failure(
    'other_account',
    `${nameOfConnection(connection)} was made at ${apiUrl}, but the account is for ${opened.account.baseUrl}`,
    {
      fix: `Set credentials.${connection.connector}.baseUrl back, or: hookctl connect remove ${connection.id}`,
    },
  );
}

/** `github acme/api`. */
export function nameOfConnection({ connector, target }: Pick<Connection, 'connector' | 'target'>): string {
  return `${connector} ${target}`;
}

/** Throws `not_found`. */
export function connectionNamed({ store }: Pick<ConnectContext, 'store'>, ref: string): Connection {
  const all = store.connections();
  const found = all.filter(({ id, target }) => id === ref || target === ref);
  const [connection] = found;
  if (connection !== undefined && found.length === 1) return connection;
  if (found.length > 1) {
    const ids = found.map(({ id, webhook }) => `${id} (${webhook})`).join(', ');
    throw usageError(`${ref} has ${found.length} connections`, `Name one by its id: ${ids}.`);
  }
  throw notFound(`there is no connection ${ref}`, 'List them: hookctl connect list');
}

/** The webhook of a connection. Null when it is gone. */
export function webhookOf(
  { snapshot }: Pick<ConnectContext, 'snapshot'>,
  { webhook, webhookId }: Pick<Connection, 'webhook' | 'webhookId'>,
): Webhook | null {
  const { byName, byWebhookId } = snapshot();
  return (webhookId === null ? byName.get(webhook) : byWebhookId.get(webhookId)) ?? null;
}

/** Under this name a hook's URL carries the id of the installation that made it. */
const MARKER = 'hookctl';

/** The URL with the marker of an installation, which the ingress splits off with the query. */
export function marked(url: string, installationId: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${MARKER}=${installationId}`;
}

/** The installation that made a hook. Null when none of hookctl did. */
export function markerIn(url: string): string | null {
  return URL.parse(url)?.searchParams.get(MARKER) ?? null;
}

/** Tells two secrets apart without holding them: keyed, so that the same secret has another one in another data folder. */
export function fingerprintOf(secret: string, installationId: string): string {
  return createHmac('sha256', `hookctl ${installationId}`).update(secret).digest('hex').slice(0, 16);
}
