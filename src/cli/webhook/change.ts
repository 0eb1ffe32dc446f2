import { setTimeout as delay } from 'node:timers/promises';
import type { Change } from '../../config/dynamic/change.ts';
import { failure } from '../../errors.ts';
import { commandsOut, paint, say } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { StatusView } from '../../server/status.ts';
import type { Services } from '../../services.ts';
import type { Webhook } from '../../types.ts';
import { serverClient } from '../kit/operate.ts';
import { printJson, warn } from '../kit/print.ts';
import type { Surroundings } from './view.ts';

/** How long to wait until a running server applies a change. */
const PATIENCE_MS = 15_000;
const POLL_MS = 20;

/** A change that is saved, and applied by the server when one runs. */
export interface Changed<T> extends Surroundings {
  readonly result: T;
}

/** Changes the JSON db under its lock; resolves when a running server has applied it. */
export async function changeDb<T>(app: Services, change: Change<T>): Promise<Changed<T>> {
  const { result, revision } = await (await app.dynamic()).edit(change);
  const served = await inForce(app, revision);
  return { result, served, configuration: await app.configuration() };
}

/**
 * Waits until the running server serves the `written` revision or a newer one; returns its state. Null when
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
      throw failure('not_in_force', 'the change is saved, but the running server has not applied it', {
        fix: 'See its problems: hookctl status',
      });
    }
  }
}

/** The dynamic webhook with an id. Throws `changed_since` when it was removed in the meantime. */
export function dynamicWebhook({ configuration }: Surroundings, id: string): Webhook {
  const found = configuration.snapshot.webhooks.find(
    ({ origin }) => origin.kind === 'dynamic' && origin.webhookId === id,
  );
  if (found !== undefined) return found;
  throw failure('changed_since', `${id} was removed by someone else at the same moment`);
}

/** What a command prints after a change. */
interface Report {
  /** For `--json`. */
  readonly view: object;
  /** One or several lines that say what was changed. */
  readonly done: string;
  /** The next useful command. */
  readonly next: string;
  readonly served: StatusView | null;
  /** Likely mistakes in what was changed. */
  readonly warnings?: readonly string[];
}

export function report(
  { io }: Services,
  json: boolean | undefined,
  { view, done, next, served, warnings = [] }: Report,
): 0 {
  for (const warning of warnings) warn(io, `note: ${escapeInvisibleLine(warning)}`);
  if (json === true) printJson(io, view);
  else {
    say(commandsOut(io), done);
    if (served === null)
      say(io.err, paint(io.err, 'dim', 'No server runs; the change applies when one starts.'));
    say(io.err, `Next: ${next}`);
  }
  return 0;
}
