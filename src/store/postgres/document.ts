import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { failure } from '../../errors.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { type Address, codeOf, connect } from './client.ts';
import { makeCurrent } from './schema.ts';

/** A file that all machines have alike: the database has the newest content, with a version, and each machine a copy. */
export interface SharedDocument {
  /** Version of the copy; 0 when there is none yet. */
  readonly version: () => number;
  /** Brings the copy to the newest content. A copy that differs when it is brought for the first time is kept beside it. */
  pull(): Promise<void>;
  /** Makes a content the newest. Throws `busy` when another machine was faster: nothing is changed then. */
  push(bytes: Uint8Array): Promise<void>;
  /** Makes the copy the newest content, where somebody has changed it; another machine that was faster wins. */
  offer(): Promise<void>;
}

const STATEMENT_MS = 10_000;
/** A schema or table that is not there yet. */
const NOT_MADE = /^(?:42P01|3F000)$/;

export function sharedDocument(address: Address, name: string, file: string): SharedDocument {
  let version: number | null = null;
  let known: string | null = null;

  async function ask<Row extends object>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const client = await connect(address, { statementMs: STATEMENT_MS });
    try {
      return (await client.query(text, [...values])).rows as Row[];
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async function newest(): Promise<{ readonly version: number; readonly content: Buffer } | null> {
    try {
      const rows = await ask<{ version: number; content: Buffer }>(
        'select version, content from documents where name = $1',
        [name],
      );
      return rows[0] ?? null;
    } catch (error) {
      if (error instanceof Error && NOT_MADE.test(codeOf(error))) return null;
      throw error;
    }
  }

  const copy = (): Promise<Buffer | null> => readFile(file).catch(() => null);

  async function pull(): Promise<void> {
    const found = await newest();
    if (found === null) {
      version = 0;
      return;
    }
    const own = await copy();
    if (own === null || !own.equals(found.content)) {
      // Written while no server ran here: it is not lost.
      if (known === null && own !== null && existsSync(file)) await copyFile(file, `${file}.replaced`);
      await writeFileAtomic(file, found.content);
    }
    version = found.version;
    known = digest(found.content);
  }

  async function push(bytes: Uint8Array): Promise<void> {
    await makeCurrent(address);
    const rows = await ask<{ version: number }>(
      `insert into documents (name, version, content) values ($1, 1, $2) on conflict (name) do update
       set version = documents.version + 1, content = excluded.content, changed_at = clock_timestamp()
       where documents.version = $3 returning version`,
      [name, Buffer.from(bytes), version ?? 0],
    );
    const [row] = rows;
    if (row === undefined)
      throw failure('busy', `another machine has just changed ${name}`, { fix: 'Do it again.' });
    version = row.version;
    known = digest(bytes);
  }

  return {
    version: () => version ?? 0,
    pull,
    push,
    async offer() {
      const own = await copy();
      if (own === null || digest(own) === known) return;
      try {
        await push(own);
      } catch {
        await pull();
      }
    },
  };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
