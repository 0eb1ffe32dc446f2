import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError, messageOf } from '../errors.ts';
import { writeFileAtomic } from '../lib/files/atomic-file.ts';
import { secret } from '../lib/redact/redact.ts';
import type { Secret } from '../types.ts';

/** A GitHub App that belongs to this installation, with its key and secrets. */
export interface GithubApp {
  /** As GitHub counts it: the issuer of its JWTs, and `app.id` of what it does. */
  readonly id: string;
  /** Its address on GitHub, and the login of its bot without `[bot]`. */
  readonly slug: string;
  /** `https://github.com`, or that of an Enterprise Server; no slash at the end. */
  readonly webUrl: string;
  /** `https://api.github.com`, or `…/api/v3`; no slash at the end. The key and the tokens go nowhere else. */
  readonly apiUrl: string;
  /** apiUrl may lead into a private network. */
  readonly privateNetwork: boolean;
  /** Name of hookctl's webhook that its deliveries reach. */
  readonly webhook: string;
  /** Private key in PEM. */
  readonly key: Secret;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** That GitHub made; hookctl replaces it with the webhook's own. Null when GitHub made none. */
  readonly webhookSecret: Secret | null;
  /** Id of the bot's user. Null when GitHub did not tell. */
  readonly botId: string | null;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

const fileSchema = z.object({
  id: z.string(),
  slug: z.string(),
  web_url: z.string(),
  api_url: z.string(),
  private_network: z.boolean(),
  webhook: z.string(),
  pem: z.string(),
  client_id: z.string(),
  client_secret: z.string(),
  webhook_secret: z.string().nullable(),
  bot_id: z.string().nullable(),
  created_at: z.iso.datetime(),
});

/** Where key and secrets are: one 0600 file for each host, which can have one App. */
function folderOf(dataFolder: string): string {
  return join(dataFolder, 'github-apps');
}

function fileOf(dataFolder: string, { webUrl }: Pick<GithubApp, 'webUrl'>): string {
  return join(folderOf(dataFolder), `${new URL(webUrl).host.replaceAll(':', '_')}.json`);
}

/** The Apps of a data folder. Throws ConfigError when the file of one can't be read. */
export function readApps(dataFolder: string): readonly GithubApp[] {
  const folder = folderOf(dataFolder);
  return namesIn(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readApp(join(folder, name)));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function readApp(file: string): GithubApp {
  try {
    const read = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return {
      id: read.id,
      slug: read.slug,
      webUrl: read.web_url,
      apiUrl: read.api_url,
      privateNetwork: read.private_network,
      webhook: read.webhook,
      key: secret(read.pem),
      clientId: read.client_id,
      clientSecret: secret(read.client_secret),
      webhookSecret: read.webhook_secret === null ? null : secret(read.webhook_secret),
      botId: read.bot_id,
      createdAt: Date.parse(read.created_at),
    };
  } catch (error) {
    const message = `the file of a GitHub App can't be read: ${messageOf(error)}`;
    const fix = 'Restore it from a backup, or remove it and type: hookctl connect github --app';
    throw new ConfigError([{ file, message, fix }]);
  }
}

/** Writes an App's file (0600, in a folder of 0700); what another App of the host left is replaced. */
export async function writeApp(dataFolder: string, app: GithubApp): Promise<void> {
  await mkdir(folderOf(dataFolder), { recursive: true, mode: 0o700 });
  const written: z.input<typeof fileSchema> = {
    id: app.id,
    slug: app.slug,
    web_url: app.webUrl,
    api_url: app.apiUrl,
    private_network: app.privateNetwork,
    webhook: app.webhook,
    pem: app.key.reveal(),
    client_id: app.clientId,
    client_secret: app.clientSecret.reveal(),
    webhook_secret: app.webhookSecret?.reveal() ?? null,
    bot_id: app.botId,
    created_at: new Date(app.createdAt).toISOString(),
  };
  await writeFileAtomic(fileOf(dataFolder, app), `${JSON.stringify(written, null, 2)}\n`);
}

/** Removes an App's file. */
export function removeApp(dataFolder: string, app: Pick<GithubApp, 'webUrl'>): Promise<void> {
  return rm(fileOf(dataFolder, app), { force: true });
}

/** What must not be shown of an App. */
export function secretsOf({ key, clientSecret, webhookSecret }: GithubApp): readonly string[] {
  return [key, clientSecret, webhookSecret].flatMap((each) => (each === null ? [] : [each.reveal()]));
}

/** The login of an App's bot, as posts show it. */
export function botLogin({ slug }: Pick<GithubApp, 'slug'>): string {
  return `${slug}[bot]`;
}

/** Where an owner installs it on their repositories. */
export function installUrl({ webUrl, slug }: Pick<GithubApp, 'webUrl' | 'slug'>): string {
  const folder = new URL(webUrl).host === 'github.com' ? 'apps' : 'github-apps';
  return `${webUrl}/${folder}/${slug}/installations/new`;
}
