import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Diagnostic, messageOf } from '../errors.ts';
import { type Source, toDiagnostic } from '../lib/diagnostics.ts';
import { secret } from '../lib/redact/redact.ts';
import { suggestion } from '../lib/suggest.ts';
import { OTHER_ACCOUNTS, providerFacts } from '../providers/facts.ts';
import type { Account, AccountDefaults, Issue, Provider, Secret } from '../types.ts';
import type { ProjectConfig } from './project/schema.ts';

/** The account that hookctl uses at each provider that can be answered. */
export interface Accounts {
  readonly byProvider: ReadonlyMap<string, Account>;
  /** Why there is no account: `no GITHUB_TOKEN`. */
  readonly missing: ReadonlyMap<string, string>;
  /** Accounts without a token: with them the reply channel that a request brings (Slack's `response_url`) can be used, and nothing else. */
  readonly bare: ReadonlyMap<string, Account>;
}

interface ResolvedAccounts {
  readonly accounts: Accounts;
  readonly problems: readonly Diagnostic[];
}

type Environment = Readonly<Record<string, string | undefined>>;
type Credential = ProjectConfig['credentials'][string];

/**
 * Looks the tokens up: in the file or variable that `credentials` names, else in the provider's usual variable. A
 * token file that others may read, or that is not there, is a problem; a variable that is not set is not a problem.
 */
export async function resolveAccounts(
  { credentials }: Pick<ProjectConfig, 'credentials'>,
  source: Source,
  own: readonly Provider[],
  env: Environment,
): Promise<ResolvedAccounts> {
  const defaults = accountDefaults(own);
  const byProvider = new Map<string, Account>();
  const missing = new Map<string, string>();
  const bare = new Map<string, Account>();
  const issues: Issue[] = [...unknownProviders(credentials, [...defaults.keys()])];
  for (const [name, usual] of defaults) {
    const credential = credentials[name] ?? {};
    const found = await findAccount(name, usual, credential, source, env);
    if ('issue' in found) issues.push({ ...found.issue, path: ['credentials', name, ...found.issue.path] });
    else if ('missing' in found) {
      missing.set(name, found.missing);
      if (found.bare !== null) bare.set(name, found.bare);
    } else byProvider.set(name, found.account);
  }
  return {
    accounts: { byProvider, missing, bare },
    problems: issues.map((issue) => toDiagnostic(source, issue)),
  };
}

/** Where the account of each provider that can be answered is found: hookctl's, and the project's own. */
export function accountDefaults(own: readonly Provider[]): ReadonlyMap<string, AccountDefaults> {
  const builtIn = [...providerFacts].flatMap(([name, { account }]) =>
    account === undefined ? [] : [[name, account] as const],
  );
  const others = own.flatMap(({ name, reply }) =>
    reply === undefined ? [] : [[name, reply.account] as const],
  );
  return new Map([...builtIn, ...OTHER_ACCOUNTS, ...others]);
}

type Found =
  | { readonly account: Account }
  | { readonly missing: string; readonly bare: Account | null }
  | { readonly issue: Issue };

async function findAccount(
  provider: string,
  defaults: AccountDefaults,
  credential: Credential,
  source: Source,
  env: Environment,
): Promise<Found> {
  const misplaced = misplacedField(provider, defaults, credential);
  if (misplaced !== null) return { issue: misplaced };
  const named = (variable: string | null) => (variable === null ? undefined : env[variable]) || null;
  const tokenEnv = credential.urlEnv ?? credential.tokenEnv ?? defaults.tokenEnv;
  const path = credential.urlFile ?? credential.tokenFile;
  const file = path === undefined ? null : resolve(dirname(source.file), path);
  const given =
    file === null ? asSecret(named(tokenEnv)) : await readToken(file, defaults.isUrl ? 'urlFile' : undefined);
  if (given !== null && 'issue' in given) return given;
  const token = given ?? (tokenEnv === null ? { secret: secret('') } : null);
  if (defaults.isUrl) {
    if (token === null) return { missing: `no ${tokenEnv}`, bare: null };
    return urlAccount(provider, token.secret, credential, path ?? `${tokenEnv}`);
  }
  const baseUrl = credential.baseUrl ?? named(defaults.baseUrlEnv) ?? defaults.baseUrl;
  const isUrl = /^https?:$/.test(URL.parse(baseUrl ?? '')?.protocol ?? '');
  const account = (key: Secret): Account | null =>
    baseUrl === null || !isUrl
      ? null
      : {
          provider,
          baseUrl: baseUrl.replace(/\/+$/, ''),
          token: key,
          user: credential.user ?? named(defaults.userEnv),
          privateNetwork: credential.privateNetwork ?? false,
        };
  if (token === null) return { missing: `no ${tokenEnv}`, bare: account(secret('')) };
  const found = account(token.secret);
  if (found !== null) return { account: found };
  const variable = defaults.baseUrlEnv ?? 'baseUrl';
  return {
    missing: baseUrl === null ? `no ${variable}` : `${variable} is no URL that starts with https://`,
    bare: null,
  };
}

/** Fields of `credentials` for senders with a token, and for those where a URL is all. */
const OF_TOKENS = ['tokenEnv', 'tokenFile', 'baseUrl', 'user'] as const;
const OF_URLS = ['urlEnv', 'urlFile'] as const;

function misplacedField(provider: string, { isUrl }: AccountDefaults, credential: Credential): Issue | null {
  const fields = isUrl ? OF_TOKENS : OF_URLS;
  const field = fields.find((name) => credential[name] !== undefined);
  if (field === undefined) return null;
  const [message, fix] = isUrl
    ? [`${provider} is posted to by a URL alone`, 'Write urlEnv or urlFile.']
    : [`${provider} is posted to with a token`, 'Write tokenEnv or tokenFile, and baseUrl for its address.'];
  return { path: [field], message, fix, atKey: true };
}

/** The account whose token is the URL to post to. `from`: the variable or file that holds it. */
function urlAccount(
  provider: string,
  token: Secret,
  { privateNetwork = false }: Credential,
  from: string,
): Found {
  const url = URL.parse(token.reveal());
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    return { missing: `${from} is no URL that starts with https://`, bare: null };
  }
  return { account: { provider, baseUrl: url.origin, token, user: null, privateNetwork } };
}

function asSecret(value: string | null): { readonly secret: Secret } | null {
  return value === null ? null : { secret: secret(value.trim()) };
}

/** The token in a file that its user alone reads; `field` of the configuration names the file. */
export async function readToken(
  file: string,
  field = 'tokenFile',
): Promise<{ readonly secret: Secret } | { readonly issue: Issue }> {
  const issue = (message: string, fix: string) => ({ issue: { path: [field], message, fix } });
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) return issue(`others may read ${file}`, `Type: chmod 600 ${file}`);
    const text = (await readFile(file, 'utf8')).trim();
    return text === ''
      ? issue(`${file} is empty`, 'Put the token into it, and nothing else.')
      : { secret: secret(text) };
  } catch (error) {
    return issue(`can't read ${file}: ${messageOf(error)}`, 'Paths are relative to webhooks.yml.');
  }
}

function unknownProviders(
  credentials: ProjectConfig['credentials'],
  known: readonly string[],
): readonly Issue[] {
  return Object.keys(credentials)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      path: ['credentials', name],
      message: `there is no provider ${name} that can be answered`,
      fix: suggestion(name, known),
      atKey: true,
    }));
}
