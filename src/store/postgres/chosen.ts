import { readFile } from 'node:fs/promises';
import { HookctlError } from '../../errors.ts';
import type { Address } from './client.ts';

/** What `store:` of webhooks.yml says, as far as it is right; the whole file is validated elsewhere. */
interface StoreSettings {
  readonly use?: unknown;
  readonly urlEnv?: unknown;
}

/** As the schema of webhooks.yml has it. */
const DEFAULT_URL_ENV = 'DATABASE_URL';

/**
 * The database in which a project keeps its store: `HOOKCTL_STORE` (its URL, or `local`), else `store` of webhooks.yml. Null for the
 * data folder. Throws `store_url` when the variable that has to hold the URL is empty, `store_address` when it holds none.
 */
export async function storeAddress(
  projectFile: string | null,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Address | null> {
  const chosen = env.HOOKCTL_STORE ?? '';
  if (chosen === 'local') return null;
  const url = chosen === '' ? await urlOf(projectFile, env) : chosen;
  if (url === null) return null;
  const { addressOf } = await import('./client.ts');
  return addressOf(url);
}

async function urlOf(
  projectFile: string | null,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  const { use, urlEnv = DEFAULT_URL_ENV } = projectFile === null ? {} : await settingsIn(projectFile);
  if (use !== 'postgres') return null;
  const url = env[String(urlEnv)] ?? '';
  if (url !== '') return url;
  throw new HookctlError(
    'store_url',
    3,
    `${urlEnv} is empty, but ${projectFile} says \`store: { use: postgres }\``,
    {
      fix: `Set it: export ${urlEnv}=postgres://user@host:5432/database`,
    },
  );
}

/** Commands that only look at the store do not load the whole configuration for this. */
async function settingsIn(projectFile: string): Promise<StoreSettings> {
  const text = await readFile(projectFile, 'utf8').catch(() => '');
  if (!/^["']?store["']?\s*:/m.test(text)) return {};
  const { parse } = await import('yaml');
  try {
    const found: unknown = (parse(text) as { store?: unknown } | null)?.store;
    return typeof found === 'object' && found !== null ? found : {};
  } catch {
    // Reported, with its place, by who validates it.
    return {};
  }
}
