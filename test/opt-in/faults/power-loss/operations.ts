import type { Call } from '../support/strace.ts';

/** What a system call changed on a disk, or made durable. */
export type Operation = {
  /** Lines of the log. The change is seen from `ended` on; a sync covers what had ended when it `began`. */
  readonly began: number;
  readonly ended: number;
  readonly call: string;
  readonly path: string;
} & (
  | { readonly kind: 'create-file' | 'create-folder' | 'remove' | 'sync' }
  /** `at` is null for a write that appends. */
  | { readonly kind: 'write'; readonly at: number | null; readonly bytes: Buffer }
  | { readonly kind: 'resize'; readonly size: number }
  | { readonly kind: 'link' | 'rename'; readonly to: string }
);

/** Without the lines of the log. */
type Change = Operation extends infer Each
  ? Each extends Operation
    ? Omit<Each, 'began' | 'ended' | 'call'>
    : never
  : never;

/**
 * What calls did to the files of some folders, in the order in which they ended. SQLite's shared memory is left out:
 * SQLite makes it again from the WAL.
 */
export function* operationsOf(calls: Iterable<Call>, folders: readonly string[]): Generator<Operation> {
  const isTracked = (path: string) =>
    folders.some((folder) => path.startsWith(`${folder}/`)) && !path.endsWith('-shm');
  const open: Descriptors = new Map();
  for (const call of calls) {
    if (!folders.some((folder) => call.text.includes(folder)) && !call.text.includes(BY_DESCRIPTOR)) continue;
    for (const change of changesOf(call, open)) {
      if (!isTracked(change.path) && !folders.includes(change.path)) continue;
      yield { ...change, began: call.began, ended: call.ended, call: call.name };
    }
  }
}

/** By number: its path, and where the next plain write goes; null when it appends. */
type Descriptors = Map<string, { readonly path: string; at: number | null }>;

/** hookctl names a file by the descriptor of its folder, so that no link leads elsewhere. */
const BY_DESCRIPTOR = '/proc/self/fd/';

function changesOf({ name, text }: Call, open: Descriptors): readonly Change[] {
  const result = Number(/\)\s+= (-?\d+)/.exec(text.slice(text.lastIndexOf(')')))?.[1]);
  if (!(result >= 0)) return [];
  if (name.startsWith('open')) return opened(text, open);
  const [, fd = '', path = ''] = /^\w+\((\d+)<([^>]+)>(?!\(deleted\))/.exec(text) ?? [];
  switch (name) {
    case 'write':
    case 'writev':
    case 'pwrite64':
    case 'pwritev': {
      if (path === '') return [];
      const bytes = Buffer.concat(stringsOf(text)).subarray(0, result);
      if (bytes.length < result)
        throw new Error(`strace shows ${bytes.length} of ${result} bytes of a write`);
      if (name.startsWith('p')) return [{ kind: 'write', path, at: lastNumber(text), bytes }];
      const descriptor = open.get(fd);
      const at = descriptor?.at ?? null;
      if (descriptor !== undefined && at !== null) descriptor.at = at + result;
      return [{ kind: 'write', path, at, bytes }];
    }
    case 'ftruncate':
      return [{ kind: 'resize', path, size: lastNumber(text) }];
    case 'fsync':
    case 'fdatasync':
      return [{ kind: 'sync', path }];
    case 'fchmod':
      return [];
  }
  const [from = '', to = ''] = stringsOf(text).map((each) => resolve(String(each), open));
  if (name.startsWith('mkdir')) return [{ kind: 'create-folder', path: from }];
  if (name.startsWith('rename')) return [{ kind: 'rename', path: from, to }];
  if (name.startsWith('link')) return [{ kind: 'link', path: from, to }];
  if (name.startsWith('unlink') || name === 'rmdir') return [{ kind: 'remove', path: from }];
  throw new Error(`${name} changes files in a way that is not known here: ${text.slice(0, 200)}`);
}

function opened(text: string, open: Descriptors): readonly Change[] {
  const [, fd = '', path = ''] = /= (\d+)<([^>]+)>$/.exec(text) ?? [];
  open.set(fd, { path, at: /O_APPEND/.test(text) ? null : 0 });
  return [
    ...(/O_CREAT/.test(text) ? [{ kind: 'create-file' as const, path }] : []),
    ...(/O_TRUNC/.test(text) ? [{ kind: 'resize' as const, path, size: 0 }] : []),
  ];
}

function resolve(path: string, open: Descriptors): string {
  const [, fd = '', rest = ''] = /^\/proc\/self\/fd\/(\d+)(\/.*)$/.exec(path) ?? [];
  return rest === '' ? path : (open.get(fd)?.path ?? '') + rest;
}

/** The last argument of a call. */
function lastNumber(text: string): number {
  return Number(/(\d+)\s*\)$/.exec(text.slice(0, text.lastIndexOf(')') + 1))?.[1]);
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12 };

/** The bytes between each two quotes, as strace writes them: C's escapes, octal for what is no ASCII. */
function stringsOf(text: string): readonly Buffer[] {
  return Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"(\.\.\.)?/gs), ([, quoted = '', cut]) => {
    if (cut !== undefined) throw new Error(`strace cut a string of ${quoted.length} characters`);
    const plain = quoted.replace(/\\([0-7]{1,3}|.)/gs, (_, escaped: string) =>
      String.fromCharCode(
        /^[0-7]/.test(escaped) ? Number.parseInt(escaped, 8) : (ESCAPES[escaped] ?? escaped.charCodeAt(0)),
      ),
    );
    return Buffer.from(plain, 'latin1');
  });
}
