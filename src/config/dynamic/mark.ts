import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { hookctlVersion } from '../../package-root.ts';

/**
 * Names the content of the db that was validated whole, and by which hookctl: to compile every template of 10,000
 * webhooks again takes seconds, at each start and for each command that changes one of them.
 */
interface Mark {
  readonly revision: string;
  /** Another version may ask for more. */
  readonly version: string;
  /** Hookctl itself wrote it: nothing is left out or in another order than the schema would give it back. */
  readonly canonical: boolean;
}

const FILE = 'webhooks.checked.json';

/** Null: none, or none that can be read. Then everything is validated. */
export function readMark(dataFolder: string): Mark | null {
  try {
    const mark = JSON.parse(readFileSync(join(dataFolder, FILE), 'utf8')) as Mark;
    return mark.version === hookctlVersion() ? mark : null;
  } catch {
    return null;
  }
}

/** Without fsync: one that is lost costs time and nothing else. */
export async function writeMark(dataFolder: string, mark: Omit<Mark, 'version'>): Promise<void> {
  const text = JSON.stringify({ ...mark, version: hookctlVersion() } satisfies Mark);
  await writeFileAtomic(join(dataFolder, FILE), text, { durable: false }).catch(() => undefined);
}
