import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Calls after which a disk may be another. */
export const CHANGING_CALLS = [
  'openat',
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'fsync',
  'fdatasync',
  'ftruncate',
  'fallocate',
  'rename',
  'renameat',
  'renameat2',
  'link',
  'linkat',
  'unlink',
  'unlinkat',
  'rmdir',
  'mkdir',
  'mkdirat',
  'fchmod',
] as const;

/** strace prints so many bytes of what is written: a record, a body, or a page of the db, whole. */
const SHOWN_BYTES = 1_048_576;

/** Options that write down every change of a file and all that is sent, whole, with the path behind each descriptor. */
export function recording(log: string): readonly string[] {
  const calls = [...CHANGING_CALLS, 'sendto', 'sendmsg', 'msync'];
  return ['-yy', '-e', `trace=${calls.join()}`, '-s', String(SHOWN_BYTES), '-o', log];
}

/** A running strace. */
export interface Tracer {
  /** Lets the traced process go, and waits until the log is whole. */
  detach(): Promise<void>;
  readonly ended: Promise<unknown>;
}

/** Attaches to a process, or with `thread` to one thread of it, and resolves when it is traced. */
export async function attach(
  target: { readonly pid: number } | { readonly thread: number },
  options: readonly string[],
): Promise<Tracer> {
  const who = 'pid' in target ? ['-f', '-p', String(target.pid)] : ['-p', String(target.thread)];
  const child = spawn('strace', [...options, ...who], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  let said = '';
  const attached = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on('line', (line) => {
    said += `${line}\n`;
    if (/attached/.test(line)) attached.resolve();
  });
  await Promise.race([
    attached.promise,
    ended.then(() => {
      throw new Error(`strace did not attach: ${said}`);
    }),
  ]);
  return {
    ended,
    async detach() {
      child.kill('SIGINT');
      await ended;
    },
  };
}

/** A thread by what it is, since its number is another each time: `hookctl 3` is the third of that name. */
export interface Thread {
  readonly id: number;
  readonly role: string;
}

export function threadsOf(pid: number): readonly Thread[] {
  const seen = new Map<string, number>();
  return readdirSync(`/proc/${pid}/task`)
    .map(Number)
    .toSorted((a, b) => a - b)
    .map((id) => {
      const name = readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim();
      const nth = (seen.get(name) ?? 0) + 1;
      seen.set(name, nth);
      return { id, role: `${name} ${nth}` };
    });
}

/** One system call as strace wrote it down, whole. */
export interface Call {
  readonly thread: number;
  readonly name: string;
  readonly text: string;
  /** Line in the log in which it began, and in which it ended. */
  readonly began: number;
  readonly ended: number;
}

const LINE = /^(\d+)\s+(?:[\d.]+\s+)?(.*)$/;

/** Calls of a log that `-f -o` wrote, in the order in which they ended. */
export function* callsOf(log: string): Generator<Call> {
  const unfinished = new Map<string, { readonly text: string; readonly began: number }>();
  for (const [at, line] of log.split('\n').entries()) {
    const [, thread = '', said = ''] = LINE.exec(line) ?? [];
    if (said.endsWith('<unfinished ...>')) {
      unfinished.set(thread, { text: said.slice(0, -'<unfinished ...>'.length), began: at });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(said)?.[1];
    const begun = resumed === undefined ? undefined : unfinished.get(thread);
    const text = begun === undefined ? said : begun.text + resumed;
    const name = /^(\w+)\(/.exec(text)?.[1];
    if (name !== undefined)
      yield { thread: Number(thread), name, text, began: begun?.began ?? at, ended: at };
  }
}

/** A write to a socket that names what had to be kept before. */
export interface Leaving {
  readonly id: string;
  readonly began: number;
}

/** The first group of `names` is the id. */
export function leaving({ text, began }: Call, names: RegExp): readonly Leaving[] {
  if (!/^\w+\(\d+<TCP/.test(text)) return [];
  const id = names.exec(text)?.[1];
  return id === undefined ? [] : [{ id, began }];
}

/** The answer 2xx to a delivery. */
export const ACKNOWLEDGED = /"HTTP\/1\.1 2.*x-hookctl-delivery: (dlv-[0-9a-z]{16})/i;
/** A reply, by the mark that hookctl posts in it. */
export const POSTED = /hookctl:(out-[0-9a-z]{16})/;
