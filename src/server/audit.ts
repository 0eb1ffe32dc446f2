import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { changesBetween, editedElsewhere, entriesOf } from '../config/dynamic/recorded.ts';
import type { RegistryChange, WebhookRegistry } from '../config/registry.ts';
import type { DispatchResult } from '../deliveries/context.ts';
import type { Services } from '../services.ts';
import type { Store } from '../store/store.ts';
import type { Actor, JsonObject, NewAuditEntry } from '../types.ts';
import { compareGrants, type Grant, grantEntries, grantsOf, recordedGrants } from './permissions.ts';

/** What of a running server goes into the audit by itself. */
export interface ServeAudit {
  /** Records the start. Resolves with what it added to what was in force at the last one. */
  started(how: JsonObject): Promise<readonly Grant[]>;
  /** The dynamic webhooks changed, or would have. */
  reloaded(change: RegistryChange): void;
  settled(settled: DispatchResult): void;
  /** Resolves when all that was told is on disk. */
  close(): Promise<void>;
}

interface ServeAuditOptions {
  readonly app: Services;
  readonly store: Store;
  readonly live: WebhookRegistry;
  /** webhooks.yml and the static modules. */
  readonly files: readonly string[];
  /** Agents that may be started. */
  readonly agents: readonly Grant[];
  /** Told of what a reload added. */
  readonly onGranted: (grants: readonly Grant[]) => void;
  readonly broken: (error: unknown) => void;
}

const DB_NAME = 'webhooks.json';
const START = 'serve.start';

/** Records a start with what changed since the last one, and what changes by itself from now on. */
export function openServeAudit(options: ServeAuditOptions): ServeAudit {
  const { app, store, live, agents, onGranted, broken } = options;
  let records = live.records();
  let grants: readonly Grant[] = [...grantsOf(live.current()), ...agents];
  let seen = lineOf(store, live.revision());
  let work: Promise<void> = Promise.resolve();
  let closed = false;

  /** One after the other, in the order in which it happened. */
  function later(record: () => Promise<void>): void {
    if (!closed) work = work.then(record).catch(broken);
  }

  async function applied(revision: string, before: typeof records, after: typeof records): Promise<void> {
    const now = app.clock.now();
    const known = store.auditOfRevision(revision, seen);
    const actor: Actor = { kind: 'editor', name: DB_NAME };
    const changes = changesBetween({ webhooks: before }, { webhooks: after });
    const edit = { before: '', after: revision, changes };
    const edited = known === null ? entriesOf(edit, { actor, at: now, known: null, file: DB_NAME }) : [];
    const inForce = [...grantsOf(live.current()), ...agents];
    const differences = compareGrants(grants, inForce);
    grants = inForce;
    const lines = [...edited, ...grantEntries(differences, now)];
    if (lines.length > 0) await store.recordAudit(lines);
    seen = known ?? lineOf(store, revision);
    if (differences.added.length > 0) onGranted(differences.added);
  }

  return {
    async started(how) {
      const at = app.clock.now();
      const first = compareGrants(recordedGrants(store), grants);
      await store.recordAudit([
        ...editedWhileAway(store, live.revision(), at),
        ...(await startEntries(options, how, at)),
        ...grantEntries(first, at),
      ]);
      if (seen === 0) seen = lineOf(store, live.revision());
      return first.added;
    },
    reloaded(change) {
      if (change.kind === 'applied') {
        const [before, after] = [records, live.records()];
        records = after;
        later(() => applied(change.revision, before, after));
      } else if (change.kind === 'refused') {
        const details = { problems: change.problems.length };
        const line = {
          at: app.clock.now(),
          what: 'webhook.refused',
          target: DB_NAME,
          details,
          revision: null,
        };
        const actor: Actor = { kind: 'editor', name: DB_NAME };
        later(() => store.recordAudit([{ ...line, actor }]));
      }
    },
    settled({ delivery }) {
      const lines = approvals(delivery, app.clock.now());
      if (lines.length > 0) later(() => store.recordAudit(lines));
    },
    close() {
      closed = true;
      return work;
    },
  };
}

/** The newest line that tells of a revision; 0: none does. */
function lineOf(store: Store, revision: string): number {
  return store.auditedRevisions(2).find((line) => line.revision === revision)?.id ?? 0;
}

/** The file may have been edited while no server ran. Of the newest two, because a CLI may be about to write one. */
function editedWhileAway(store: Store, revision: string, at: number): readonly NewAuditEntry[] {
  const known = store.auditedRevisions(2);
  const isKnown = known.length === 0 || known.some((line) => line.revision === revision);
  return isKnown ? [] : [editedElsewhere({ file: DB_NAME, at, revision })];
}

/** The start itself, and the project's files that are not as they were at the last one. */
async function startEntries(
  { app, store, files }: ServeAuditOptions,
  how: JsonObject,
  at: number,
): Promise<readonly NewAuditEntry[]> {
  const digests = Object.fromEntries(await Promise.all(files.map(digestOf)));
  const former = store.audit({ what: START, limit: 1 })[0]?.details.files as JsonObject | undefined;
  const changed = former === undefined ? [] : Object.keys({ ...former, ...digests });
  const edits = changed
    .filter((name) => former?.[name] !== digests[name])
    .map((name): NewAuditEntry => {
      const actor: Actor = { kind: 'editor', name };
      return { at, actor, what: 'config.edit', target: name, details: {}, revision: null };
    });
  const details = { version: app.version, ...how, files: digests };
  return [...edits, { at, actor: app.actor, what: START, target: null, details, revision: null }];
}

async function digestOf(file: string): Promise<readonly [string, string]> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  return [basename(file), createHash('sha256').update(bytes).digest('hex').slice(0, 16)];
}

/** What people approved by writing so, at the provider. */
function approvals({ provider, senderName, id, decisions }: DispatchResult['delivery'], at: number) {
  const given = decisions.filter(({ command, fired }) => command === 'approve' && fired);
  return given.flatMap(({ taskIds }) =>
    taskIds.map((target): NewAuditEntry => {
      const actor: Actor = { kind: 'sender', name: `${provider}:${senderName ?? 'unknown'}` };
      return { at, actor, what: 'task.approve', target, details: { delivery: id }, revision: null };
    }),
  );
}
