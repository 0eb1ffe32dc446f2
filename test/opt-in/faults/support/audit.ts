import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OWN_POST_MARKER } from '../../../../src/providers/kit/marker.ts';
import type { ProviderApis } from '../../../support/provider-apis.ts';
import type { Entry, Ledger } from './ledger.ts';
import { all, api, type Served } from './served.ts';
import { eventually, inLanes } from './wait.ts';

/** As the API shows it. */
export interface DeliveryRow {
  readonly id: string;
  readonly status: string;
  readonly reason: string | null;
  readonly sender_delivery_id: string | null;
  readonly size: number;
  readonly duplicate_of: string | null;
}

export interface TaskRow {
  readonly id: string;
  readonly delivery_id: string | null;
  readonly webhook: string | null;
}

/** What is looked at when a fault is over. */
export interface Scene {
  readonly served: Served;
  readonly ledger: Ledger;
  /** Where replies were posted. */
  readonly github: ProviderApis;
  /** One in so many bodies is read back byte for byte; default 1. */
  readonly everyBody?: number;
  /** How long hookctl may take to work off what is left; default 60 s. */
  readonly patienceMs?: number;
}

/** Requests at once while bodies are read. */
const LANES = 8;

/**
 * Holds hookctl's book against the sender's, once nothing is pending: every delivery that was answered 2xx is there
 * with its bytes and was worked off, each has its task, files or reply exactly once, and nothing is there that was
 * never sent. Throws with the first cases of each kind of fault.
 */
export async function audit(scene: Scene): Promise<void> {
  const unsettled = await settle(scene).then(
    () => [],
    (error: Error) => [error.message],
  );
  const { served, ledger, github } = scene;
  const rows = await all<DeliveryRow>(served, 'deliveries');
  const tasks = await all<TaskRow>(served, 'tasks');
  // A connection that was cut is a row, too; it is no delivery, and has no id of a sender.
  const real = Map.groupBy(
    rows.filter(({ status, sender_delivery_id: guid }) => status !== 'duplicate' && guid !== null),
    (row) => String(row.sender_delivery_id),
  );
  const first = (entry: Entry) => real.get(entry.hook.guid)?.[0];
  const present = [...ledger.entries.values()].filter((entry) => first(entry) !== undefined);
  const withEffect = (...effects: readonly string[]) =>
    present.filter(({ hook }) => effects.includes(hook.effect)).map((entry) => first(entry)?.id ?? '');
  const files = tasks.filter(({ webhook }) => webhook === 'github').map(({ id }) => id);
  report({
    'wait in vain': unsettled,
    'acknowledged, and not there': missing(ledger, rows),
    'stored twice': [...real].filter(([, alike]) => alike.length > 1).map(([guid]) => guid),
    'stored, but never sent': [...real.keys()].filter((guid) => !ledger.entries.has(guid)),
    'not worked off': [...real.values()]
      .flat()
      .filter(isUnfinished)
      .map(({ id, status, reason }) => `${id} (${status}: ${reason})`),
    'bytes lost or changed': await wrongBodies(
      scene,
      present.map((entry) => [entry, first(entry)?.id ?? '']),
    ),
    ...difference(
      'task',
      withEffect('task', 'files'),
      // The whole row, because an id that is missing tells nothing of where it was lost.
      tasks.map((task) => task.delivery_id ?? JSON.stringify(task)),
    ),
    ...difference('record file', files, recordFiles(served)),
    ...difference('entry of the list', files, listEntries(await listFolder(served))),
    ...difference('reply', withEffect('reply'), await repliedTo(served, github)),
  });
}

/** Until nothing is pending, nothing waits to be sent, and every task has its files. */
export async function settle({ served, patienceMs = 60_000 }: Scene): Promise<void> {
  const none = async (path: string) =>
    (await api<{ items: unknown[] }>(served, `${path}&limit=1`)).items.length === 0;
  const quiet = async () =>
    (await none('deliveries?status=pending')) && (await none('outbox?status=waiting'));
  await eventually('everything to be worked off', quiet, patienceMs);
  const tasks = (await all<TaskRow>(served, 'tasks')).filter(({ webhook }) => webhook === 'github');
  const list = await listFolder(served);
  const written = () => {
    try {
      return recordFiles(served).length >= tasks.length && listEntries(list).length >= tasks.length;
    } catch {
      return false;
    }
  };
  // A file that is missing, or is no JSON, is named by the audit.
  await eventually('the task files', written, Math.min(patienceMs, 30_000)).catch(() => undefined);
}

function missing({ entries }: Ledger, rows: readonly DeliveryRow[]): readonly string[] {
  const stored = new Map(rows.map((row) => [row.id, row]));
  return [...entries.values()].flatMap(({ hook, ids }) =>
    ids.filter((id) => stored.get(id)?.sender_delivery_id !== hook.guid),
  );
}

function isUnfinished({ status }: DeliveryRow): boolean {
  return status !== 'processed';
}

async function wrongBodies(
  { served, everyBody = 1 }: Scene,
  entries: readonly (readonly [Entry, string])[],
): Promise<readonly string[]> {
  const wrong: string[] = [];
  const looked = entries.filter((_, index) => index % everyBody === 0);
  await inLanes(looked.length, LANES, async (index) => {
    const [entry, id] = looked[index] ?? [];
    const { body_base64: stored } = await api<{ body_base64: string | null }>(served, `deliveries/${id}`);
    const bytes = Buffer.from(stored ?? '', 'base64');
    if (createHash('sha256').update(bytes).digest('hex') !== entry?.hook.sha256) wrong.push(`${id}`);
  });
  return wrong;
}

/** What should be there once, against what is there. */
function difference(what: string, wanted: readonly string[], found: readonly string[]) {
  const want = new Set(wanted);
  const have = Map.groupBy(found, (id) => id);
  return {
    [`without its ${what}`]: [...want].filter((id) => !have.has(id)),
    [`with a ${what} more than once`]: [...have].filter(([, alike]) => alike.length > 1).map(([id]) => id),
    [`${what} of nothing`]: [...have.keys()].filter((id) => !want.has(id)),
  };
}

/** Tasks that have a record file in Claude's folder. A file that is no JSON throws. */
function recordFiles({ bed }: Served): readonly string[] {
  return jsonFiles(join(bed.claudeFolder, 'tasks'), /^claude-task-.*\.json$/).map((record) =>
    String(taskOf(record)),
  );
}

/** The folder of Claude's list. A copied project has a list of its own beside that of the first one. */
async function listFolder(served: Served): Promise<string> {
  return (await api<{ server: { claude_tasks: string } }>(served, 'status')).server.claude_tasks;
}

/** Tasks in Claude's list, but for the placeholder that keeps it. */
function listEntries(folder: string): readonly string[] {
  return jsonFiles(folder, /^\d+\.json$/).flatMap((entry) => taskOf(entry) ?? []);
}

function taskOf(file: unknown): string | undefined {
  return (file as { metadata?: { orchestration_task_id?: string } }).metadata?.orchestration_task_id;
}

function jsonFiles(folder: string, name: RegExp): readonly unknown[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((each) => name.test(each));
  return names.map((each) => {
    const path = join(folder, each);
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
    }
  });
}

/** Deliveries whose reply stands at GitHub. */
async function repliedTo(served: Served, { posts }: ProviderApis): Promise<readonly string[]> {
  const items = await all<{ id: string; delivery_id: string }>(served, 'outbox');
  const deliveryOf = new Map(items.map(({ id, delivery_id: delivery }) => [id, delivery]));
  return posts.flatMap(({ text }) => {
    const id = text.split(OWN_POST_MARKER)[1]?.split(' ')[0] ?? '';
    return deliveryOf.get(id) ?? `an unknown ${id}`;
  });
}

const SHOWN = 3;

function report(found: Readonly<Record<string, readonly string[]>>): void {
  const wrong = Object.entries(found).filter(([, cases]) => cases.length > 0);
  if (wrong.length === 0) return;
  const lines = wrong.map(
    ([what, cases]) =>
      `${cases.length} ${what}: ${cases.slice(0, SHOWN).join(', ')}${cases.length > SHOWN ? ', …' : ''}`,
  );
  throw new Error(lines.join('; '));
}
