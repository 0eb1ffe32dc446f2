import { existsSync } from 'node:fs';
import { isRemote, locate, requireOwnFolder } from '../../config/project/locate.ts';
import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import type { Host } from '../../services.ts';
import { storeAddress } from '../../store/postgres/chosen.ts';
import type { StoreReader } from '../../store/store.ts';

/** A word that a shell may offer, and what it is. */
type Candidate = readonly [word: string, summary: string];

/** Rows that are offered: more would not help. */
const MOST = 50;

/**
 * `hookctl __complete <kind> [<argument>…]`, which completions ask: prints `word TAB summary` lines. Only reads, and says nothing
 * of what it can't read: a shell would print it into the line that is typed.
 */
export async function printCandidates(argv: readonly string[], host: Host): Promise<void> {
  const at = argv.indexOf('__complete');
  const [kind = '', ...given] = argv.slice(at + 1);
  const [flag, value] = [argv[0] ?? '', argv[1] ?? ''];
  const configFlag = flag === '--config' && at === 2 ? value : (/^--config=(.+)/.exec(flag)?.[1] ?? null);
  const found = await candidates(host, { kind, given, configFlag }).catch(() => []);
  const lines = found.map(([word, summary]) => `${word}\t${shorten(escapeInvisibleLine(summary), 60)}\n`);
  host.io.out.write(host.redactor.redact(lines.join('')));
}

interface Question {
  readonly kind: string;
  readonly given: readonly string[];
  readonly configFlag: string | null;
}

async function candidates(
  { cwd, env, home }: Host,
  { kind, given, configFlag }: Question,
): Promise<readonly Candidate[]> {
  if (kind === 'provider' || kind === 'event') return ofProviders(kind, given[0]);
  if (isRemote(env)) return [];
  const located = locate({ cwd, env, home, configFlag });
  requireOwnFolder(located.dataFolder);
  if (kind === 'webhook') {
    const { quickListing } = await import('../../config/listing.ts');
    const listing = await quickListing({ located, env });
    return (
      listing?.webhooks.map(({ name, provider, endpoint }) => [name, `${provider} ${endpoint}`] as const) ??
      []
    );
  }
  // A connection to a database takes longer than a person waits for a completion.
  if ((await storeAddress(located.projectFile, env).catch(() => null)) !== null) return [];
  const { databasePath } = await import('../../store/local/sqlite.ts');
  const path = databasePath(located.dataFolder);
  const { openReader } = await import('../../store/local/index.ts');
  const reader = existsSync(path) ? openReader({ path }) : null;
  if (reader === null) return [];
  try {
    return stored(reader, kind);
  } finally {
    reader.close();
  }
}

async function ofProviders(kind: 'provider' | 'event', provider?: string): Promise<readonly Candidate[]> {
  const { providerFacts } = await import('../../providers/facts.ts');
  if (kind === 'provider') return [...providerFacts].map(([name, { label }]) => [name, label]);
  const named = providerFacts.get(provider ?? '');
  const all = named === undefined ? [...providerFacts.values()] : [named];
  return all.flatMap(({ label, samples }) => samples.map((type) => [type, label] as const));
}

function stored(reader: StoreReader, kind: string): readonly Candidate[] {
  const limit = MOST;
  switch (kind) {
    case 'delivery':
      return reader
        .deliveries({ limit })
        .map(({ id, webhook, eventType, status }) => [id, `${webhook} ${eventType ?? '-'} ${status}`]);
    case 'task':
      return reader.tasks({ limit }).map(({ id, status, title }) => [id, `${status} ${title}`]);
    case 'flow':
      return reader.flows({ limit }).map(({ externalId, id }) => [externalId, id]);
    case 'conversation':
      return reader.conversations({ limit }).map(({ id }) => [id, '']);
    case 'outgoing':
      return reader.outbox({ limit }).map(({ id, provider, status }) => [id, `${provider} ${status}`]);
    case 'connection':
      return reader.connections().map(({ id, connector, target }) => [id, `${connector} ${target}`]);
    default:
      return [];
  }
}
