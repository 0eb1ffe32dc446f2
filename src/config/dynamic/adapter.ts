import type { Adapter } from 'lowdb';
import { ConfigError, type ConfigProblem } from '../../errors.ts';
import { type DbFile, revisionOf } from './db-file.ts';
import { withAdvice } from './load.ts';
import { formatDb } from './parse.ts';
import { changesBetween, type DbEdit } from './recorded.ts';
import type { DbState } from './schema.ts';

/**
 * lowdb's view of the db; the caller holds the lock. Its own adapters overwrite a file that they could not read and
 * know no fsync, and its presets keep everything in memory under `NODE_ENV=test`.
 */
export function dbAdapter(db: DbFile, record: (edit: DbEdit) => Promise<void>): Adapter<DbState> {
  let former: { readonly state: DbState; readonly revision: string } = {
    state: { webhooks: [] },
    revision: revisionOf(null),
  };
  return {
    /** Throws ConfigError when the file does not validate: what stands there is then never replaced. */
    async read() {
      const reading = await db.stateOf(await db.content());
      if (!reading.ok) throw new ConfigError(withAdvice(reading.problems));
      former = reading;
      return reading.state;
    },

    /**
     * Writes only what can be read again, and only once it is on record: a crash between the two leaves a line too
     * many, never a change that nobody made. Throws ConfigError with the faults of the new state.
     */
    async write(state) {
      const bytes = Buffer.from(formatDb(state));
      const same = new Set(former.state.webhooks);
      const changed = state.webhooks.filter((webhook) => !same.has(webhook));
      const problems = db.problemsOfNext(bytes, state, changed);
      if (problems.length > 0) throw new ConfigError(problems.map((problem) => inWords(problem, state)));
      const changes = changesBetween(former.state, state);
      const { revision: before } = former;
      await record({ before, after: revisionOf(bytes), changes });
      try {
        await db.write(bytes, true);
      } catch (error) {
        await record({ before, after: before, changes: changes.map(undone) }).catch(() => undefined);
        throw error;
      }
    },
  };
}

function undone(change: DbEdit['changes'][number]): DbEdit['changes'][number] {
  return { ...change, details: { ...change.details, note: 'could not be written' } };
}

/** The line of a file that was not written tells nothing; the name of the webhook does. */
function inWords(problem: ConfigProblem, { webhooks }: DbState): ConfigProblem {
  const [, index, field] = /^webhooks\.(\d+)(?:\.(.+))?$/.exec(problem.field ?? '') ?? [];
  const { line: _, column: __, field: whole, ...rest } = problem;
  const name = index === undefined ? undefined : webhooks[Number(index)]?.name;
  const place = field ?? (name === undefined ? whole : undefined);
  return {
    ...rest,
    file: name === undefined ? 'webhooks.json' : `webhook ${name}`,
    ...(place !== undefined && { field: place }),
  };
}
