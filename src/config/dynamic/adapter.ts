import type { Adapter } from 'lowdb';
import { ConfigError, type ConfigProblem } from '../../errors.ts';
import type { DbFile } from './db-file.ts';
import { withAdvice } from './load.ts';
import { formatDb } from './parse.ts';
import type { DbState } from './schema.ts';

/**
 * lowdb's view of the db; the caller holds the lock. Its own adapters overwrite a file that they could not read and
 * know no fsync, and its presets keep everything in memory under `NODE_ENV=test`.
 */
export function dbAdapter(db: DbFile): Adapter<DbState> {
  return {
    /** Throws ConfigError when the file does not validate: what stands there is then never replaced. */
    async read() {
      const reading = await db.validate(await db.content());
      if (!reading.ok) throw new ConfigError(withAdvice(reading.problems));
      return reading.state;
    },

    /** Writes only what can be read again. Throws ConfigError with the faults of the new state. */
    async write(state) {
      const bytes = Buffer.from(formatDb(state));
      const reading = await db.validate({ kind: 'bytes', bytes, inode: 0 });
      if (!reading.ok) throw new ConfigError(reading.problems.map((problem) => inWords(problem, state)));
      await db.write(bytes);
    },
  };
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
