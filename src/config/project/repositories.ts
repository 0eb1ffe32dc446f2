import { realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Diagnostic } from '../../errors.ts';
import { type Source, toDiagnostic } from '../../lib/diagnostics.ts';
import { isWithin } from '../../lib/files/within.ts';

/** A checkout that a line of `repositories:` names. */
interface Checkout {
  /** Names of all lines with this folder, that of the line which was found first: `acme/web`, `PROJ`. */
  readonly names: readonly string[];
  /** Absolute, with every link followed. */
  readonly folder: string;
}

/** Where a task runs. */
export type Route =
  /** In the folder of its agent: it is about no repository, or `repositories:` is empty. */
  | { readonly kind: 'agent' }
  /** In the first one; the others are for it, too. */
  | { readonly kind: 'checkouts'; readonly checkouts: readonly [Checkout, ...Checkout[]] }
  /** A line is missing, or its folder is. `repository` as it is written in a line. */
  | { readonly kind: 'missing'; readonly repository: string; readonly reason: string };

/** `repositories:` of webhooks.yml: repositories, Jira projects and Linear teams that hookctl works for, and their checkouts. */
export interface Repositories {
  /** No line is written. */
  readonly isEmpty: boolean;
  /** Whether the repository or project of an external id (`github:acme/web#4`, `jira:PROJ-1`) is named. */
  has(externalId: string): boolean;
  /** Where a task about this runs. `named`: names of lines whose repositories belong to it, too. */
  routeOf(externalId: string, named: readonly string[]): Route;
  /** The checkout around a folder; null when it is in none. */
  checkoutAround(folder: string): Checkout | null;
  /** Names of the lines whose repositories a text names: `acme/api`, `acme/api#4`, an address. */
  namedIn(text: string): readonly string[];
  /** Lines whose folder is not there: a mistake to `check`, while `serve` lets their tasks wait. */
  readonly missing: readonly Diagnostic[];
}

/** Keys of the same repository that say more come first: `github:git.example.com/acme/web`, without provider, without host. */
function keysOf(externalId: string): readonly string[] {
  const [, provider = '', rest = ''] = /^(\w+):(.+)$/.exec(externalId) ?? [];
  const project = projectOf(externalId)?.toLowerCase();
  if (project !== undefined) return [`${provider}:${project}`, project];
  const path = /^[\w.:-]+(?:\/[\w.-]+)+(?=[#!@$&])/.exec(rest)?.[0]?.toLowerCase();
  return path === undefined ? [] : [`${provider}:${path}`, path, withoutHost(path)];
}

/** The project or team of a ticket; undefined for everything else. */
function projectOf(externalId: string): string | undefined {
  return /^(?:jira|linear):(?:[^/]+\/)?([A-Za-z][A-Za-z0-9_]+)-\d+$/.exec(externalId)?.[1];
}

function withoutHost(path: string): string {
  return path.replace(/^[^/]*[.:][^/]*\/(?=.*\/)/, '');
}

/** A line, with its folder as it was found. */
interface Line {
  readonly name: string;
  readonly folder: string;
  /** Why there is no checkout; null when there is. */
  readonly lacks: string | null;
}

/** Finds the folders. Relative ones start at the folder of webhooks.yml. */
export async function resolveRepositories(
  entries: Readonly<Record<string, string>>,
  source: Source,
): Promise<Repositories> {
  const found = Object.entries(entries).map(async ([name, path]): Promise<Line> => {
    const written = resolve(dirname(source.file), path);
    const folder = await realpath(written).catch(() => null);
    const isThere = folder !== null && (await stat(folder)).isDirectory();
    return isThere
      ? { name, folder, lacks: null }
      : { name, folder: written, lacks: `there is no folder ${written}` };
  });
  const lines = await Promise.all(found);
  const missing = lines.flatMap(({ name, lacks }) => (lacks === null ? [] : [{ name, message: lacks }]));
  return {
    ...openLines(lines),
    missing: missing.map(({ name, message }) =>
      toDiagnostic(source, {
        path: ['repositories', name],
        message: `${message}, so its tasks wait`,
        fix: 'Clone the repository there, or correct the path.',
      }),
    ),
  };
}

function openLines(lines: readonly Line[]): Omit<Repositories, 'missing'> {
  const byName = new Map(lines.map((line) => [line.name.toLowerCase(), line]));
  const lineOf = (externalId: string) =>
    keysOf(externalId)
      .map((key) => byName.get(key))
      .find((line) => line !== undefined);
  const checkoutOf = ({ name, folder }: Line): Checkout => {
    const same = lines.filter((each) => each.folder === folder && each.name !== name);
    return { names: [name, ...same.map((each) => each.name)], folder };
  };
  return {
    isEmpty: lines.length === 0,
    has: (externalId) => lineOf(externalId) !== undefined,
    routeOf(externalId, named) {
      if (lines.length === 0) return { kind: 'agent' };
      const own = lineOf(externalId);
      const further = named.flatMap((name) => byName.get(name.toLowerCase()) ?? []);
      // A ticket runs where it says; what is about a repository never runs in another one alone.
      const isTicket = projectOf(externalId) !== undefined;
      if (own === undefined && (further.length === 0 || !isTicket)) {
        const repository = nameIn(externalId);
        if (repository !== null) return { kind: 'missing', repository, reason: noLine(repository) };
      }
      const all = [...(own === undefined ? [] : [own]), ...further];
      const lacking = all.find(({ lacks }) => lacks !== null);
      if (lacking !== undefined) {
        const reason = `repositories.${lacking.name}: ${lacking.lacks}: make it, then restart hookctl serve`;
        return { kind: 'missing', repository: lacking.name, reason };
      }
      const byFolder = new Map(all.map((line) => [line.folder, checkoutOf(line)]));
      const [first, ...others] = byFolder.values();
      return first === undefined ? { kind: 'agent' } : { kind: 'checkouts', checkouts: [first, ...others] };
    },
    checkoutAround(folder) {
      const line = lines.find((each) => each.lacks === null && isWithin(each.folder, folder));
      return line === undefined ? null : checkoutOf(line);
    },
    namedIn(text) {
      const names = lines.filter(({ name }) => name.includes('/') && isNamed(name, text));
      return names.map(({ name }) => name);
    },
  };
}

/** The repository or project of an external id as a line would name it. */
function nameIn(externalId: string): string | null {
  const [, path = null] = keysOf(externalId);
  return projectOf(externalId)?.toUpperCase() ?? path;
}

function noLine(repository: string): string {
  return `no line of \`repositories\` in webhooks.yml names ${repository}: write \`${repository}: /path/to/its/checkout\` there, then restart hookctl serve`;
}

/** Places of a name in a text that are looked at: a text full of it must not keep the thread busy. */
const MOST_PLACES = 1_000;
/** Of the address before a name, and of what follows it. */
const LONGEST_HOST = 100;

/** Whether a text has the name by itself, with its number, or in an address. */
function isNamed(name: string, text: string): boolean {
  const path = name.toLowerCase().replace(/^[a-z]+:(?=.*\/)/, '');
  const lower = text.toLowerCase();
  return [...new Set([path, withoutHost(path)])].some((each) => {
    let at = lower.indexOf(each);
    for (let tries = 0; at >= 0 && tries < MOST_PLACES; tries += 1) {
      const end = at + each.length;
      const before = /(?:^|[\s([{<"'`,;:*]|https?:\/\/[\w.:-]+\/|[\w.-]+@[\w.-]+[:/])$/.test(
        lower.slice(Math.max(0, at - LONGEST_HOST), at),
      );
      const after =
        /^(?:\.git)?(?![\w/.-])|^[./](?=\s|$)|^(?:\.git)?\/(?:-\/)?(?:issues|pull|pulls|merge_requests|tree|blob|pull-requests)\//.test(
          lower.slice(end, end + LONGEST_HOST),
        );
      if (before && after) return true;
      at = lower.indexOf(each, at + 1);
    }
    return false;
  });
}
