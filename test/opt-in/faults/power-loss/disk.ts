import { basename, dirname, join } from 'node:path';
import type { Operation } from './operations.ts';

/**
 * A disk of which is known what a power loss may take, by the rules of POSIX and no kinder ones. (Pillai et al., "All
 * File Systems Are Not Created Equal", OSDI 2014: each kinder rule is broken by a file system in use.)
 *
 * - fsync and fdatasync keep what was written to the file before they began, its size too, and nothing else.
 * - A name is an entry of its folder: only a sync of that folder keeps that it was made, changed or removed, and so on
 *   for each folder above. (ext4, XFS and Btrfs keep the first name of a file with the file.)
 * - What is not synced survives or not, each page of a file and each entry of a folder on its own, in any order. A page
 *   survives as it was at one moment.
 * - A rename within a folder is one step.
 */
export interface Disk {
  apply(operation: Operation): void;
  /** Paths that are there after a power loss, a folder (null) before what it holds. */
  after(survival: Survival): ReadonlyMap<string, Buffer | null>;
}

/** How much of what was not synced survives. */
export interface Survival {
  /** Bytes that are written in one piece. */
  readonly unit: number;
  /** Of a file with so many changes: returns for each of its units, and for its size, how many of them it shows. */
  file(changes: number): () => number;
  /** Of a folder with so many changes: returns for the index of each whether it survives. */
  folder(changes: number): (index: number) => boolean;
}

/** As a process sees it that goes on. */
export const EVERYTHING: Survival = {
  unit: 4_096,
  file: (changes) => () => changes,
  folder: () => () => true,
};

interface File {
  /** Only a folder has some. */
  readonly entries: null;
  kept: Buffer;
  size: number;
  pending: FileChange[];
}

type FileChange = { readonly ended: number } & (
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'resize'; readonly size: number }
);

type Entries = Map<string, File | Folder>;

interface Folder {
  readonly entries: Entries;
  readonly kept: Entries;
  pending: FolderChange[];
}

/** Names that come, or go (null), in one step. */
interface FolderChange {
  readonly ended: number;
  readonly names: ReadonlyMap<string, File | Folder | null>;
}

/** Begins with some folders, which are empty and synced. */
export function newDisk(roots: readonly string[]): Disk {
  const folders = new Map(roots.map((path) => [path, newFolder()]));

  function find(path: string): File | Folder | undefined {
    if (path === dirname(path)) return undefined;
    return folders.get(path) ?? find(dirname(path))?.entries?.get(basename(path));
  }
  function known(path: string): File | Folder {
    const found = find(path);
    if (found === undefined) throw new Error(`${path} is used, and no call made it`);
    return found;
  }
  function enter(ended: number, names: Readonly<Record<string, File | Folder | null>>): void {
    for (const [path, changed] of Map.groupBy(Object.entries(names), ([name]) => dirname(name))) {
      const folder = known(path);
      if (folder.entries === null) throw new Error(`${path} is no folder`);
      const change = { ended, names: new Map(changed.map(([name, node]) => [basename(name), node])) };
      folder.pending.push(change);
      rename(folder.entries, change);
    }
  }
  function alter(path: string, change: (file: File) => FileChange): void {
    const file = known(path);
    if (file.entries !== null) throw new Error(`${path} is a folder`);
    const made = change(file);
    file.pending.push(made);
    file.size = sizeAfter(file.size, made);
  }

  return {
    apply(operation) {
      const { path, ended } = operation;
      switch (operation.kind) {
        case 'create-file':
          if (find(path) === undefined) enter(ended, { [path]: newFile() });
          return;
        case 'create-folder':
          return enter(ended, { [path]: newFolder() });
        case 'remove':
          return enter(ended, { [path]: null });
        case 'link':
          return enter(ended, { [operation.to]: known(path) });
        case 'rename':
          return enter(ended, { [path]: null, [operation.to]: known(path) });
        case 'write': {
          const { at, bytes } = operation;
          return alter(path, ({ size }) => ({ kind: 'write', ended, at: at ?? size, bytes }));
        }
        case 'resize':
          return alter(path, () => ({ kind: 'resize', ended, size: operation.size }));
        case 'sync':
          return sync(known(path), operation.began);
      }
    },
    after(survival) {
      const found = new Map<string, Buffer | null>();
      // A file may have two names.
      const contents = new Map<File, Buffer>();
      const visit = (path: string, node: File | Folder): void => {
        if (node.entries === null) {
          const content = contents.get(node) ?? contentAfter(node, survival);
          contents.set(node, content);
          return void found.set(path, content);
        }
        found.set(path, null);
        for (const [name, child] of entriesAfter(node, survival)) visit(join(path, name), child);
      };
      for (const [path, folder] of folders) visit(path, folder);
      return found;
    },
  };
}

const newFile = (): File => ({ entries: null, kept: Buffer.alloc(0), size: 0, pending: [] });

const newFolder = (): Folder => ({ entries: new Map(), kept: new Map(), pending: [] });

function rename(entries: Entries, { names }: FolderChange): void {
  for (const [name, node] of names) {
    if (node === null) entries.delete(name);
    else entries.set(name, node);
  }
}

/** Keeps what had ended before the sync began. */
function sync(node: File | Folder, began: number): void {
  const covered = (change: { readonly ended: number }) => change.ended < began;
  if (node.entries === null) {
    node.kept = contentAfter({ ...node, pending: node.pending.filter(covered) }, EVERYTHING);
    node.pending = node.pending.filter((change) => !covered(change));
  } else {
    for (const change of node.pending.filter(covered)) rename(node.kept, change);
    node.pending = node.pending.filter((change) => !covered(change));
  }
}

function entriesAfter({ kept, pending }: Folder, { folder }: Survival): Entries {
  const survives = folder(pending.length);
  const entries = new Map(kept);
  for (const [index, change] of pending.entries()) if (survives(index)) rename(entries, change);
  return entries;
}

function contentAfter({ kept, pending }: File, { unit, file }: Survival): Buffer {
  const sizes = [kept.length];
  for (const change of pending) sizes.push(sizeAfter(sizes.at(-1) ?? 0, change));
  const shown = file(pending.length);
  const size = sizes[shown()] ?? 0;
  const seen = new Map<number, number>();
  const bytes = Buffer.alloc(Math.max(...sizes));
  kept.copy(bytes);
  for (const [index, change] of pending.entries()) {
    const [from, to] =
      change.kind === 'write' ? [change.at, change.at + change.bytes.length] : [change.size, bytes.length];
    for (let at = from; at < to; at = nextUnit(at, unit)) {
      const number = Math.floor(at / unit);
      const changes = seen.get(number) ?? shown();
      seen.set(number, changes);
      if (index >= changes) continue;
      const end = Math.min(to, nextUnit(at, unit));
      if (change.kind === 'write') change.bytes.copy(bytes, at, at - from, end - from);
      else bytes.fill(0, at, end);
    }
  }
  return bytes.subarray(0, size);
}

function sizeAfter(size: number, change: FileChange): number {
  return change.kind === 'resize' ? change.size : Math.max(size, change.at + change.bytes.length);
}

function nextUnit(at: number, unit: number): number {
  return (Math.floor(at / unit) + 1) * unit;
}
