import { HookctlError } from '../errors.ts';
import { isJsonObject } from '../lib/json.ts';
import { hookctlVersion } from '../package-root.ts';
import { loadProvider } from '../providers/index.ts';
import { idAt, textAt } from '../providers/kit/payload.ts';
import { apiPath } from '../providers/kit/reply.ts';
import type { Account, JsonObject, JsonValue } from '../types.ts';
import { type ApiAnswer, ApiError, type ApiRequest, openApi } from './api.ts';
import { loadConnector } from './connectors/index.ts';
import type { AskContext } from './context.ts';

/** A call that changes nothing, and shows whether a token is good and for what. */
interface Identity {
  readonly request: (account: Account) => ApiRequest;
  /** Whose token it is; null when the answer names no one. */
  readonly owner: (json: JsonValue) => string | null;
  /** What the token may do; null when the answer does not say. */
  readonly scopes?: (answer: ApiAnswer) => readonly string[] | null;
  /** Of each group one scope is needed, for what the text says. */
  readonly needs?: readonly { readonly oneOf: readonly string[]; readonly for: string }[];
  /** Where a person changes the token. */
  readonly page: (account: Account) => string;
}

const get = (path: string) => (): ApiRequest => ({ method: 'GET', path, body: null });
const at =
  (...path: readonly string[]) =>
  (json: JsonValue) =>
    textAt(json, ...path) ?? idAt(json, ...path);
const ofSite = (path: string) => (account: Account) => account.baseUrl + path;
const header = ({ headers }: ApiAnswer) => {
  const value = headers['x-oauth-scopes'];
  return value === undefined ? null : value.split(/[\s,]+/).filter((scope) => scope !== '');
};
const listed = (json: JsonValue | undefined) =>
  Array.isArray(json) ? json.filter((scope) => typeof scope === 'string') : null;
const field = (json: JsonValue, name: string): JsonValue | undefined =>
  isJsonObject(json) ? (json as JsonObject)[name] : undefined;

/** By sender. Sources: the API references that `providers/<name>/reply.ts` and `connect/connectors/<name>.ts` name. */
const IDENTITIES: Readonly<Record<string, Identity>> = {
  github: {
    request: ({ user }) => get(user === null ? '/user' : apiPath('users', user))(),
    owner: at('login'),
    // Fine-grained tokens have permissions, which no answer names.
    scopes: header,
    needs: [
      { oneOf: ['repo', 'public_repo'], for: 'replies' },
      { oneOf: ['admin:repo_hook', 'write:repo_hook', 'repo'], for: '`hookctl connect`' },
    ],
    page: ({ baseUrl }) =>
      `${new URL(baseUrl).hostname === 'api.github.com' ? 'https://github.com' : new URL(baseUrl).origin}/settings/tokens`,
  },
  jira: {
    request: get('/rest/api/2/myself'),
    owner: at('displayName'),
    page: () => 'https://id.atlassian.com/manage-profile/security/api-tokens',
  },
  slack: {
    request: () => ({ method: 'POST', path: '/auth.test', body: null, isRepeatable: true }),
    owner: at('user'),
    scopes: header,
    needs: [
      { oneOf: ['chat:write'], for: 'replies' },
      { oneOf: ['reactions:write'], for: 'reactions' },
    ],
    page: () => 'https://api.slack.com/apps',
  },
  sentry: {
    request: get('/api/0/'),
    owner: at('user', 'username'),
    scopes: ({ json }) => listed(field(field(json, 'auth') ?? null, 'scopes')),
    needs: [{ oneOf: ['event:write', 'event:admin'], for: 'replies' }],
    page: ofSite('/settings/account/api/auth-tokens/'),
  },
  gitlab: {
    request: get('/api/v4/personal_access_tokens/self'),
    owner: at('name'),
    scopes: ({ json }) => listed(field(json, 'scopes')),
    needs: [{ oneOf: ['api'], for: 'replies and `hookctl connect`' }],
    page: ofSite('/-/user_settings/personal_access_tokens'),
  },
  gitea: {
    request: get('/api/v1/user'),
    owner: at('login'),
    page: ofSite('/user/settings/applications'),
  },
  bitbucket: {
    request: get('/2.0/user'),
    owner: at('display_name'),
    scopes: header,
    page: () => 'https://id.atlassian.com/manage-profile/security/api-tokens',
  },
  linear: {
    request: () => ({
      ...{ method: 'POST', path: '/graphql', isRepeatable: true },
      body: { query: '{ viewer { name } }' },
    }),
    owner: at('data', 'viewer', 'name'),
    page: () => 'https://linear.app/settings/account/security',
  },
  pagerduty: {
    request: get('/abilities'),
    owner: () => null,
    page: () => 'https://support.pagerduty.com/main/docs/api-access-keys',
  },
  stripe: {
    request: get('/v1/webhook_endpoints?limit=1'),
    owner: () => null,
    page: () => 'https://dashboard.stripe.com/apikeys',
  },
  telegram: {
    request: ({ token }) => get(apiPath(`bot${token.reveal()}`, 'getMe').replace('%3A', ':'))(),
    owner: at('result', 'username'),
    page: () => 'https://t.me/BotFather',
  },
  zendesk: {
    request: get('/api/v2/users/me.json'),
    // Without a good token Zendesk answers, too: with a user that has no id.
    owner: at('user', 'email'),
    page: ofSite('/admin/apps-integrations/apis/zendesk-api'),
  },
};

/** What a harmless call said about a token. */
interface Identified {
  readonly owner: string | null;
  /** Null when the sender does not say. */
  readonly scopes: readonly string[] | null;
  /** `replies (needs repo or public_repo)`. */
  readonly lacking: readonly string[];
  /** Where a person changes the token. */
  readonly page: string;
}

type IdentifyResult =
  /** No call of this sender is harmless. */
  | { readonly kind: 'untried' }
  | { readonly kind: 'good'; readonly found: Identified; readonly answer: ApiAnswer }
  /** `isReached`: the sender answered, and refused. */
  | {
      readonly kind: 'bad';
      readonly error: HookctlError;
      readonly isReached: boolean;
      readonly page: string;
    };

/** Tries an account's token with a call that changes nothing. Waits for no limit. */
export async function identify(
  context: Pick<AskContext, 'transport' | 'clock'>,
  account: Account,
): Promise<IdentifyResult> {
  const identity = IDENTITIES[account.provider];
  if (identity === undefined || account.token.reveal() === '') return { kind: 'untried' };
  const page = identity.page(account);
  const connector = await loadConnector(account.provider);
  const reply = (await loadProvider(account.provider))?.reply;
  const authorize = reply?.authorize ?? connector?.authorize;
  const classify = reply?.classify ?? connector?.classify;
  const api = openApi({
    ...{ account, transport: context.transport, now: context.clock.now, patienceMs: 0 },
    authorize: () => authorize?.(account) ?? {},
    userAgent: `hookctl/${hookctlVersion()}`,
    ...(classify !== undefined && { classify }),
  });
  try {
    const answer = await api.call(identity.request(account));
    const owner = identity.owner(answer.json);
    if (account.provider === 'zendesk' && owner === null)
      throw new ApiError('refused', 'Zendesk does not know the token, or whose it is', answer);
    const scopes = identity.scopes?.(answer) ?? null;
    const lacking =
      scopes === null
        ? []
        : (identity.needs ?? [])
            .filter(({ oneOf }) => !oneOf.some((scope) => scopes.includes(scope)))
            .map(({ oneOf, for: purpose }) => `${purpose} (needs ${oneOf.join(' or ')})`);
    return { kind: 'good', found: { owner, scopes, lacking, page }, answer };
  } catch (error) {
    if (!(error instanceof HookctlError)) throw error;
    const isReached = error instanceof ApiError && error.kind === 'refused';
    return { kind: 'bad', error, isReached, page };
  }
}
