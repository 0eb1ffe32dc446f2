import { setTimeout as delay } from 'node:timers/promises';
import type { Change } from '../../config/dynamic/change.ts';
import { failure } from '../../errors.ts';
import { commandsOut, paint, say } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { StatusView } from '../../server/status.ts';
import type { Services } from '../../services.ts';
import type { Webhook } from '../../types.ts';
import { serverClient } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';
import type { Surroundings } from './view.ts';

/** How long a running server may take to have a change in force. */
const PATIENCE_MS = 15_000;
const POLL_MS = 20;

/** A change that is on disk, and in force where a server runs. */
export interface Changed<T> extends Surroundings {
  readonly result: T;
}

/** Changes the JSON db under its lock; resolves when a running server has the change in force. */
export async function changeDb<T>(app: Services, change: Change<T>): Promise<Changed<T>> {
  const { result, revision } = await (await app.dynamic()).edit(change);
  const served = await inForce(app, revision);
  return { result, served, configuration: await app.configuration() };
}

/**
 * The running server's state once it serves what is on disk: what was `written`, or what others wrote since. Null when
 * none runs. Throws `not_in_force`.
 */
export async function inForce(app: Services, written: string): Promise<StatusView | null> {
  const client = await serverClient(app);
  if (client === null) return null;
  const db = await app.dynamic();
  for (const deadline = Date.now() + PATIENCE_MS; ; await delay(POLL_MS)) {
    const revision = await client.revision();
    if (revision === written || revision === (await db.revision())) return client.status();
    if (Date.now() > deadline) {
      throw failure('not_in_force', 'the change is saved, but the running server has not taken it up', {
        fix: 'Its problems: hookctl status',
      });
    }
  }
}

/** The dynamic webhook of an id as it is now. Throws `changed_since` when it is gone again. */
export function dynamicWebhook({ configuration }: Surroundings, id: string): Webhook {
  const found = configuration.snapshot.webhooks.find(
    ({ origin }) => origin.kind === 'dynamic' && origin.webhookId === id,
  );
  if (found !== undefined) return found;
  throw failure('changed_since', `${id} was removed by somebody else at the same moment`);
}

/** What a command that changed something says. */
interface Report {
  /** For `--json`. */
  readonly view: object;
  /** What was done, one or several lines. */
  readonly done: string;
  /** The next useful command. */
  readonly next: string;
  readonly served: StatusView | null;
  /** What is probably a mistake in what was changed. */
  readonly warnings?: readonly string[];
}

export function report(
  { io }: Services,
  json: boolean | undefined,
  { view, done, next, served, warnings = [] }: Report,
): 0 {
  for (const warning of warnings)
    say(io.err, paint(io.err, 'yellow', `note: ${escapeInvisibleLine(warning)}`));
  if (json === true) printJson(io, view);
  else {
    say(commandsOut(io), done);
    if (served === null) say(io.err, paint(io.err, 'dim', 'No server runs; it is in force when one starts.'));
    say(io.err, `Next: ${next}`);
  }
  return 0;
}
