import { identify } from '../../connect/identity.ts';
import { messageOf } from '../../errors.ts';
import { openGithubApps } from '../../github-app/apps.ts';
import type { GithubApp } from '../../github-app/record.ts';
import { createTransport } from '../../outbox/transport.ts';
import { providerFacts } from '../../providers/facts.ts';
import type { Account, Webhook } from '../../types.ts';
import { countedNoun } from '../kit/print.ts';
import { type Check, type Examined, type Finding, fault, ok, warning } from './finding.ts';

export const secrets: Check = {
  name: 'secrets',
  look({ configuration }) {
    if (configuration === null) return [];
    const enabled = configuration.snapshot.webhooks.filter((webhook) => webhook.enabled);
    const without = enabled.filter((webhook) => webhook.secrets.length === 0 && !isGenerated(webhook));
    const set = enabled.length - without.length;
    return [
      ...without.map(({ name, endpoint, secretSource }) => {
        const variable = /^(\w+) is (?:not set|empty)/.exec(secretSource)?.[1];
        const fix =
          variable === undefined
            ? `Give it one: hookctl webhook rotate-secret ${name}`
            : `Set ${variable} before hookctl starts, with the secret that the sender shows.`;
        return fault(`webhook ${name}: ${secretSource}, so deliveries to ${endpoint} are refused (401)`, fix);
      }),
      ...(set === 0 ? [] : [ok(`${countedNoun(set, 'webhook')} can verify deliveries`)]),
    ];
  },
};

/** The first start makes it. */
function isGenerated({ secretSource }: Webhook): boolean {
  return secretSource === 'not generated yet';
}

export const credentials: Check = {
  name: 'credentials',
  async look(examined) {
    const { app, configuration, isOffline } = examined;
    if (configuration === null) return [];
    const { accounts, project } = configuration;
    const asked = [...accounts.byProvider.values()].filter(({ token }) => token.reveal() !== '');
    const missing = [...accounts.missing].flatMap(([provider, why]) =>
      provider in project.credentials || isConnected(examined, provider)
        ? [fault(`${provider}: ${why}`, `Set the variable, or credentials.${provider} in webhooks.yml.`)]
        : [],
    );
    if (asked.length === 0 && missing.length === 0) return [ok('none: hookctl posts nothing')];
    if (isOffline) return [...missing, ok(`${countedNoun(asked.length, 'token')} not tried: --offline`)];
    const transport = createTransport();
    app.defer(transport.close);
    const tried = asked.map((account) => tryAccount(examined, account, { transport, clock: app.clock }));
    return [...missing, ...(await Promise.all(tried)).flat()];
  },
};

function isConnected({ app }: Examined, provider: string): boolean {
  return (
    app
      .reader()
      ?.connections()
      .some(({ connector }) => connector === provider) ?? false
  );
}

/** GitHub names it for tokens that expire: `2026-12-24 08:00:00 UTC`. */
const GITHUB_TOKEN_END = 'github-authentication-token-expiration';
const SOON_MS = 14 * 86_400_000;

async function tryAccount(
  { app, noteDate }: Examined,
  account: Account,
  context: Parameters<typeof identify>[0],
): Promise<readonly Finding[]> {
  const label = providerFacts.get(account.provider)?.label ?? account.provider;
  const result = await identify(context, account);
  switch (result.kind) {
    case 'untried':
      return [ok(`${label}: not tried, as no call of it is harmless`)];
    case 'bad': {
      const { error, isReached, page } = result;
      const fix = isReached
        ? `Make a new token (${page}), and set it in place of the old one.`
        : `Look whether this machine has a network, and whether ${account.baseUrl} is its address: credentials.${account.provider}.baseUrl in webhooks.yml.`;
      return [fault(`${label}: ${messageOf(error)}`, fix)];
    }
    case 'good': {
      const { owner, scopes, lacking, page } = result.found;
      noteDate(label, result.answer.headers.date, app.clock.now());
      const whose = owner === null ? 'the token is good' : `the token of ${owner} is good`;
      const rights =
        scopes === null
          ? 'its scopes are not named by the API'
          : `its scopes: ${scopes.length === 0 ? 'none' : scopes.join(', ')}`;
      const text = `${label}: ${whose}; ${rights}`;
      const end = Date.parse(result.answer.headers[GITHUB_TOKEN_END] ?? '');
      if (end - app.clock.now() < SOON_MS) {
        const day = new Date(end).toISOString().slice(0, 10);
        return [warning(`${text}; it expires on ${day}`, `Make a new one: ${page}`)];
      }
      return lacking.length === 0
        ? [ok(text)]
        : [warning(`${text}; not enough for ${lacking.join(', ')}`, `Add what is missing: ${page}`)];
    }
    default:
      return result satisfies never;
  }
}

export const githubApps: Check = {
  name: 'github app',
  async look({ app, isOffline, noteDate }) {
    const { located, redactor, clock, version } = app;
    const apps = openGithubApps({
      ...{ dataFolder: located.dataFolder, now: clock.now, userAgent: `hookctl/${version}` },
      learn: (learned) => redactor.learn('github-app', learned),
    });
    app.defer(apps.close);
    const tried = apps.list().map(async (each: GithubApp) => {
      if (isOffline) return ok(`${each.slug} is not tried: --offline`);
      const page = `${each.webUrl}/settings/apps/${each.slug}`;
      try {
        const { status, headers } = await apps.client.asApp(each, { method: 'GET', path: '/app' });
        noteDate(new URL(each.apiUrl).host, headers.date, clock.now());
        if (status === 200) return ok(`${each.slug}: its key is good`);
        return fault(`${each.slug}: GitHub answered ${status}`, `Look whether the App still exists: ${page}`);
      } catch (error) {
        return fault(`${each.slug}: ${messageOf(error)}`, `Look whether the App still exists: ${page}`);
      }
    });
    return Promise.all(tried);
  },
};
