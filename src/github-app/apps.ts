import { failure } from '../errors.ts';
import { isLoopbackHost } from '../lib/http/addresses.ts';
import { secret } from '../lib/redact/redact.ts';
import { createTransport, type Transport } from '../outbox/transport.ts';
import type { Account, Headers, Secret, ThreadRef } from '../types.ts';
import { type AppClient, createAppClient } from './client.ts';
import { botLogin, type GithubApp, readApps, removeApp, secretsOf } from './record.ts';
import { createTokenStore, type InstallationToken, type Permissions, type Repository } from './tokens.ts';

/** The GitHub Apps of an installation: who they are, and tokens of theirs. */
export interface GithubApps {
  /** Those whose key is in the data folder. */
  list(): readonly GithubApp[];
  /** The App for a host (`github.com`); null when there is none. */
  of(host: string | null): GithubApp | null;
  readonly client: AppClient;
  /** A token for one repository, see `TokenStore`. */
  token(
    app: GithubApp,
    repository: Repository,
    wanted: Permissions,
    leftMs?: number,
  ): Promise<InstallationToken>;
  /** A token was refused: the next one is made anew. */
  refused(app: GithubApp, value: Secret): void;
  /** A token is good for nothing any more, as git found out. */
  drop(value: Secret): void;
  /** The account that posts in a thread; null where no App is. Throws `TryLater` and `github_app`. */
  account(place: ThreadRef): Promise<Account | null>;
  /** How an App itself is asked for its hook: without a token, but with its JWT. Null when there is none of this name. */
  named(slug: string): { readonly account: Account; readonly authorize: () => Promise<Headers> } | null;
  /** Forgets the key of the App at this API's address; on GitHub a person has to delete it. */
  forget(apiUrl: string): Promise<void>;
  /** Reads the files anew: an App was made. */
  reload(): void;
  close(): Promise<void>;
}

interface AppsOptions {
  readonly dataFolder: string;
  readonly now: () => number;
  readonly userAgent: string;
  /** Learns keys and tokens, so that none is shown. */
  readonly learn: (secrets: () => Iterable<string>) => void;
  readonly transport?: Transport;
}

/** What replies need: comments, labels and reactions on issues and pull requests. */
const REPLIES: Permissions = { issues: 'write', pull_requests: 'write' };

/** Opens them. Throws ConfigError when the file of one can't be read. */
export function openGithubApps(options: AppsOptions): GithubApps {
  const { dataFolder, now, userAgent, transport = createTransport() } = options;
  let apps = readApps(dataFolder);
  const client = createAppClient({ transport, now, userAgent });
  const tokens = createTokenStore(client, learn);
  function learn(): void {
    options.learn(() => [...apps.flatMap(secretsOf), ...tokens.values()]);
  }
  learn();
  function reload(): void {
    apps = readApps(dataFolder);
    learn();
  }

  function of(host: string | null): GithubApp | null {
    const name = (host ?? 'github.com').toLowerCase();
    return (
      apps.find(({ webUrl }) => new URL(webUrl).host === name) ??
      // A loopback address is a proxy on this machine: the operator sees to where it leads.
      apps.find(({ webUrl }) => isLoopbackHost(new URL(webUrl).hostname)) ??
      null
    );
  }

  return {
    list: () => apps,
    of,
    client,
    token: tokens.get,
    refused: tokens.refused,
    drop: tokens.drop,
    async account({ host, owner = null, repo = null }) {
      const app = of(host);
      if (app === null) return null;
      if (owner === null || repo === null) throw failure('github_app', 'the place names no repository');
      const { value } = await tokens.get(app, { owner, repo }, REPLIES);
      return {
        provider: 'github',
        baseUrl: app.apiUrl,
        token: value,
        user: botLogin(app),
        privateNetwork: app.privateNetwork,
        refused: () => tokens.refused(app, value),
      };
    },
    named(slug) {
      const app = apps.find((each) => each.slug === slug);
      if (app === undefined) return null;
      const { apiUrl: baseUrl, privateNetwork } = app;
      const account = { provider: 'github', baseUrl, token: secret(''), user: null, privateNetwork };
      return { account, authorize: () => client.authorize(app) };
    },
    async forget(apiUrl) {
      const app = apps.find((each) => each.apiUrl === apiUrl);
      if (app !== undefined) await removeApp(dataFolder, app);
      reload();
    },
    reload,
    close: transport.close,
  };
}
