import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from './stage.ts';
import { attach, CHANGING_CALLS, callsOf, threadsOf } from './strace.ts';

/** The n-th call of a name by one thread; strace counts so. */
export interface Point {
  /** Of the thread, as `threadsOf` names it. */
  readonly role: string;
  readonly call: string;
  readonly nth: number;
}

/** File operations in one thread, so that they come in the same order each time. */
export const STEADY = { UV_THREADPOOL_SIZE: '1' };

export function pointName({ role, call, nth }: Point): string {
  return `${call} ${nth} of ${role}`;
}

/** Traces one delivery of a stage from the request to its last file, and lists the calls that change files. */
export async function findPoints({ bed, ledger, serve, audit }: Stage): Promise<readonly Point[]> {
  const served = await serve({ env: STEADY });
  const log = join(bed.root, 'trace');
  const options = ['-yy', '-e', `trace=${CHANGING_CALLS.join()}`, '-o', log];
  const tracer = await attach({ pid: served.pid }, options);
  await ledger.send(served.url);
  await audit(served);
  const roles = new Map(threadsOf(served.pid).map(({ id, role }) => [id, role]));
  await tracer.detach();
  const counts = new Map<string, number>();
  const points: Point[] = [];
  for (const { thread, name: call, text } of callsOf(readFileSync(log, 'latin1'))) {
    const key = `${thread} ${call}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    if (changesFiles(text, bed.root)) points.push({ role: roles.get(thread) ?? '', call, nth });
  }
  return points;
}

/** Opening to read, and reading, leave everything as it was. Claude's files are named by the descriptor of their folder. */
export function changesFiles(text: string, folder: string): boolean {
  return (
    [folder, '/proc/self/fd/'].some((path) => text.includes(path)) &&
    !(text.startsWith('openat(') && text.includes('O_RDONLY'))
  );
}
