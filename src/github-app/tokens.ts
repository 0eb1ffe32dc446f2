import { failure } from '../errors.ts';
import { secret } from '../lib/redact/redact.ts';
import { idAt, objectAt, textAt, timeAt } from '../providers/kit/payload.ts';
import { answerJson, apiPath } from '../providers/kit/reply.ts';
import type { JsonObject, Secret } from '../types.ts';
import { type AppClient, said } from './client.ts';
import { type GithubApp, installUrl } from './record.ts';

/** A repository on GitHub, by its present names. */
export interface Repository {
  readonly owner: string;
  readonly repo: string;
}

/** What a token may do: GitHub's names of permissions. */
export type Permissions = Readonly<Record<string, 'read' | 'write'>>;

/** A token of an installation, for one repository. */
export interface InstallationToken {
  readonly value: Secret;
  /** By GitHub's clock, in epoch milliseconds. */
  readonly expiresAt: number;
}

/** Makes and keeps tokens of installations. */
export interface TokenStore {
  /**
   * A token for one repository, with no more than these permissions. One that is kept has `leftMs` left at least; default a minute.
   * Throws `TryLater`, and `github_app` where the App is not installed or lacks all of the permissions.
   */
  get(
    app: GithubApp,
    repository: Repository,
    wanted: Permissions,
    leftMs?: number,
  ): Promise<InstallationToken>;
  /** A token was refused: the next one is made anew, unless it is so young that GitHub may not know it everywhere yet. */
  refused(app: GithubApp, value: Secret): void;
  /** A token is good for nothing any more, as git found out. */
  drop(value: Secret): void;
  /** The tokens that are kept, so that none is shown. */
  values(): readonly string[];
}

const LEFT_MS = 60_000;
/** An owner may have accepted new permissions, or have moved the repository. */
const INSTALLATION_MS = 600_000;
/** GitHub may not know a token everywhere for so long after it made it. */
const SPREADING_MS = 5_000;

interface Installation {
  readonly id: string;
  readonly permissions: JsonObject;
  readonly settingsUrl: string | null;
  readonly readAt: number;
}

export function createTokenStore(client: AppClient, tokensChanged: () => void): TokenStore {
  const installations = new Map<string, Installation>();
  /** By host, App, installation, repository and permissions: what differs in one of these is another token. */
  const tokens = new Map<string, InstallationToken & { readonly madeAt: number }>();
  const underWay = new Map<string, Promise<InstallationToken>>();

  async function installationOf(app: GithubApp, { owner, repo }: Repository): Promise<Installation> {
    const key = `${app.apiUrl} ${app.id} ${owner}/${repo}`.toLowerCase();
    const known = installations.get(key);
    if (known !== undefined && client.timeAt(app) - known.readAt < INSTALLATION_MS) return known;
    installations.delete(key);
    const path = apiPath('repos', owner, repo, 'installation');
    const answer = await client.asApp(app, { method: 'GET', path });
    const json = answerJson(answer);
    const id = idAt(json, 'id');
    if (answer.status === 404) throw notInstalled(app, owner, repo);
    if (answer.status !== 200 || id === null) {
      throw failure(
        'github_app',
        `GitHub does not tell the installation of ${owner}/${repo}: ${said(answer)}`,
      );
    }
    if (textAt(json, 'suspended_at') !== null) {
      throw failure('github_app', `${owner} has suspended the App ${app.slug}`, {
        fix: `An owner of ${owner} lifts that at ${textAt(json, 'html_url') ?? app.webUrl}`,
      });
    }
    const found = {
      ...{ id, permissions: objectAt(json, 'permissions') ?? {}, settingsUrl: textAt(json, 'html_url') },
      readAt: client.timeAt(app),
    };
    installations.set(key, found);
    return found;
  }

  async function make(
    app: GithubApp,
    { id }: Installation,
    { owner, repo }: Repository,
    permissions: Permissions,
  ): Promise<InstallationToken> {
    const answer = await client.asApp(app, {
      method: 'POST',
      path: apiPath('app', 'installations', id, 'access_tokens'),
      body: { repositories: [repo], permissions },
    });
    const json = answerJson(answer);
    const value = textAt(json, 'token');
    if (answer.status !== 201 || value === null) {
      // What was known of the installation is no longer so.
      installations.clear();
      throw failure(
        'github_app',
        `GitHub gives the App ${app.slug} no token for ${owner}/${repo}: ${said(answer)}`,
        {
          fix: `Look whether it is installed there, with its present permissions: ${installUrl(app)}`,
        },
      );
    }
    return { value: secret(value), expiresAt: timeAt(json, 'expires_at') ?? client.timeAt(app) };
  }

  return {
    async get(app, repository, wanted, leftMs = LEFT_MS) {
      const installation = await installationOf(app, repository);
      const permissions = granted(installation.permissions, wanted);
      if (Object.keys(permissions).length === 0) {
        installations.clear();
        throw lacks(app, installation, repository, wanted);
      }
      const key = [
        ...[app.apiUrl, app.id, installation.id, `${repository.owner}/${repository.repo}`.toLowerCase()],
        ...Object.entries(permissions)
          .map(([name, level]) => `${name}:${level}`)
          .toSorted(),
      ].join(' ');
      const now = client.timeAt(app);
      for (const [each, { expiresAt }] of tokens) if (expiresAt <= now) tokens.delete(each);
      const kept = tokens.get(key);
      if (kept !== undefined && kept.expiresAt - now > leftMs) return kept;
      const made =
        underWay.get(key) ??
        make(app, installation, repository, permissions)
          .then((token) => {
            tokens.set(key, { ...token, madeAt: client.timeAt(app) });
            tokensChanged();
            return token;
          })
          .finally(() => underWay.delete(key));
      underWay.set(key, made);
      return made;
    },
    refused(app, value) {
      for (const [key, token] of tokens) {
        const isYoung = client.timeAt(app) - token.madeAt < SPREADING_MS;
        if (token.value.reveal() === value.reveal() && !isYoung) tokens.delete(key);
      }
    },
    drop(value) {
      for (const [key, token] of tokens) if (token.value.reveal() === value.reveal()) tokens.delete(key);
    },
    values: () => [...tokens.values()].map(({ value }) => value.reveal()),
  };
}

/** What is wanted, as far as the owner granted it: GitHub refuses a token whose permissions go further. */
function granted(given: JsonObject, wanted: Permissions): Permissions {
  return Object.fromEntries(
    Object.entries(wanted).flatMap(([name, level]) => {
      const most = textAt(given, name);
      if (most === null) return [];
      return [[name, most === 'read' ? 'read' : level] as const];
    }),
  );
}

function lacks(
  { slug, webUrl }: GithubApp,
  { settingsUrl }: Installation,
  { owner, repo }: Repository,
  wanted: Permissions,
): Error {
  const names = Object.entries(wanted).map(([name, level]) => `${name}: ${level}`);
  return failure(
    'github_app',
    `the App ${slug} has no permission on ${owner}/${repo} for ${names.join(', ')}`,
    {
      fix: `Give it the permission at ${webUrl}/settings/apps/${slug}/permissions, then an owner of ${owner} accepts it at ${settingsUrl ?? webUrl}`,
    },
  );
}

function notInstalled(app: GithubApp, owner: string, repo: string): Error {
  return failure('github_app', `the App ${app.slug} is not installed on ${owner}/${repo}`, {
    fix: `Install it: ${installUrl(app)}`,
  });
}
