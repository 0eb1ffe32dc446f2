import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../app.ts';
import type { Change } from '../../config/dynamic/change.ts';
import type { DynamicWebhooks } from '../../config/dynamic/index.ts';
import type { Configuration } from '../../config/index.ts';
import { failure } from '../../errors.ts';
import { paint, say } from '../../lib/io.ts';
import { openDb } from '../../server/open-db.ts';
import type { Webhook } from '../../types.ts';
import { serverClient } from '../operate.ts';
import { printJson } from '../print.ts';

/** How long a running server may take to have a change in force. */
const PATIENCE_MS = 15_000;
const POLL_MS = 20;

/** A change that is on disk, and in force where a server runs. */
export interface Changed<T> {
  readonly result: T;
  /** With the change. */
  readonly configuration: Configuration;
  readonly served: boolean;
}

/**
 * Changes the JSON db under its lock; resolves when a running server has the change in force. `prepare` makes the
 * change from the webhooks as they are.
 */
export async function changeDb<T>(app: App, prepare: (before: Configuration) => Change<T>): Promise<Changed<T>> {
  const before = await app.configuration();
  const db = await openDb(app, before.parts.fixed);
  const { result } = await db.edit(prepare(before));
  const served = await inForce(app, db);
  return { result, served, configuration: await app.configuration() };
}

/** Waits until the running server serves what is on disk; false when none runs. Throws `not_in_force`. */
export async function inForce(app: App, db: Pick<DynamicWebhooks, 'revision'>): Promise<boolean> {
  const client = await serverClient(app);
  if (client === null) return false;
  for (const deadline = Date.now() + PATIENCE_MS; ; await delay(POLL_MS)) {
    const { revision } = await client.status();
    if (revision === (await db.revision())) return true;
    if (Date.now() > deadline) {
      throw failure('not_in_force', 'the change is saved, but the running server has not taken it up', {
        fix: 'Its problems: hookctl status',
      });
    }
  }
}

/** The dynamic webhook of an id as it is now. Throws `changed_since` when it is gone again. */
export function dynamicWebhook({ snapshot }: Configuration, id: string): Webhook {
  const found = snapshot.webhooks.find(({ origin }) => origin.kind === 'dynamic' && origin.webhookId === id);
  if (found !== undefined) return found;
  throw failure('changed_since', `${id} was removed by somebody else at the same moment`);
}

/** What a command that changed something says. */
export interface Report {
  /** For `--json`. */
  readonly view: object;
  /** What was done, one or several lines. */
  readonly done: string;
  /** The next useful command. */
  readonly next: string;
  readonly served: boolean;
}

export function report({ io }: App, json: boolean | undefined, { view, done, next, served }: Report): 0 {
  if (json === true) printJson(io, view);
  else {
    say(io.out, done);
    if (!served) say(io.err, paint(io.err, 'dim', 'No server runs; it is in force when one starts.'));
    say(io.err, `Next: ${next}`);
  }
  return 0;
}
