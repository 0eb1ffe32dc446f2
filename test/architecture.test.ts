import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const SRC = join(ROOT, 'src');
const MAX_LINES = 400;
/** A shorter file belongs into the file beside it, when that one alone imports it. */
const MIN_LINES = 25;
const MAX_FILES = 15;

/** Folders that list one plug-in, or one verb of the CLI, per file: they may hold more files. */
const LISTS: readonly string[] = ['cli', 'cli/webhook'];
/** Files that the package or the build names, so that no import leads to them. */
const ENTRIES = [
  ...['cli.ts', 'contract.ts', 'index.ts', 'process-host.ts', 'store/local/writer.ts'],
  ...['store/postgres/connection.ts', 'store/postgres/writer.ts'],
];

/** Words that a reader has to decode, and what to write in their place (issue 13; CONTRIBUTING.md, "Words"). */
const BANNED: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/\bwhat of\b/gi, 'which part of …'],
  [/\btold of\b/gi, 'is notified of, learns, is called with'],
  [/\bcomes? to nothing\b/gi, 'has no effect'],
  [/\b(?:stands?|stood|lies|lie|lay)\b(?! for\b)/gi, 'is, are, was'],
  [/\bat its end\b/gi, 'finished, settled'],
  [/\bat hand\b/gi, 'available'],
  [/\bnobody\b/gi, 'no one, or the subject itself'],
  [/(?<!case )\bnull: /gi, 'null when …'],
  [/\bwhoever\b/gi, 'the caller, the user, anyone who'],
  [/\bwho (?:[\w’']+ ){1,3}is\b/gi, 'a noun: the sender, the author'],
  [/\b(?:has|had) (?:its|no) say\b/gi, 'applies'],
  [/\bof one[’']s own\b/gi, 'your own, its own'],
  [/\bbegun\b/gi, 'started'],
];

/** Everything below the plug-ins. */
const BASE = ['lib', 'types', 'errors', 'labels', 'package-root'];

/**
 * Folder (or file) of src/ → what it may import beside itself. `type:` means types only: erased, so it is no
 * dependency at run time.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  types: [],
  errors: [],
  labels: ['lib', 'types'],
  'package-root': [],
  lib: ['types', 'errors', 'package-root'],
  conditions: BASE,
  templates: BASE,
  providers: BASE,
  actions: [...BASE, 'type:outbox', 'type:providers'],
  tunnels: BASE,
  store: BASE,
  tasks: [...BASE, 'type:store'],
  outbox: [...BASE, 'store', 'providers', 'type:store'],
  'github-app': [...BASE, 'outbox', 'providers'],
  agents: BASE,
  notifications: [...BASE, 'type:outbox', 'providers'],
  config: [
    ...BASE,
    'conditions',
    'templates',
    'providers',
    'type:actions',
    'tunnels',
    'agents',
    'notifications',
  ],
  connect: [...BASE, 'type:config', 'type:github-app', 'outbox', 'providers', 'type:store'],
  deliveries: [
    ...BASE,
    'conditions',
    'templates',
    'providers',
    'actions',
    'outbox',
    'tunnels',
    'tasks',
    'config',
    'store',
    'github-app',
  ],
  recover: [...BASE, 'connect', 'deliveries', 'providers', 'type:store'],
  views: [...BASE, 'store'],
  'task-views': [...BASE, 'views', 'tasks', 'store'],
  'agents/scheduler': [...BASE, 'agents', 'tasks', 'config', 'store'],
  mcp: [...BASE, 'views', 'task-views', 'tasks', 'type:store'],
  services: [
    ...BASE,
    'connect',
    'deliveries',
    'providers',
    'actions',
    'outbox',
    'tunnels',
    'tasks',
    'config',
    'store',
  ],
  server: [
    ...BASE,
    'connect',
    'recover',
    'services',
    'mcp',
    'views',
    'task-views',
    'agents/scheduler',
    'agents',
    'deliveries',
    'actions',
    'providers',
    'outbox',
    'notifications',
    'tunnels',
    'tasks',
    'config',
    'store',
    'github-app',
  ],
  cli: [
    ...BASE,
    'agents',
    'connect',
    'github-app',
    'outbox',
    'server',
    'services',
    'mcp',
    'views',
    'task-views',
    'conditions',
    'templates',
    'deliveries',
    'providers',
    'tunnels',
    'tasks',
    'config',
    'store',
  ],
  'process-host': ['services', 'lib'],
  index: ['config', 'providers', 'types', 'type:lib'],
  contract: [...BASE, 'providers'],
};

/** Folders of plug-ins, and the type of which each is one. */
const PLUG_INS: Readonly<Record<string, string>> = {
  providers: 'Provider',
  actions: 'Action',
  'tunnels/drivers': 'TunnelDriver',
  agents: 'AgentRunner',
  'connect/connectors': 'Connector',
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(SRC, name));
const texts = new Map<string, string>();
/** Each file is read once. */
function textOf(file: string): string {
  const text = texts.get(file) ?? readFileSync(file, 'utf8');
  texts.set(file, text);
  return text;
}
const words = new Map<string, ReadonlySet<string>>();
function wordsOf(file: string): ReadonlySet<string> {
  const found = words.get(file) ?? new Set(textOf(file).match(/\w+/g));
  words.set(file, found);
  return found;
}
const linesOf = (file: string) => textOf(file).split('\n').length - 1;
const short = (file: string) => relative(SRC, file);
const imports = files.flatMap(importsOf);

function importsOf(file: string): readonly Import[] {
  const statement = /^(?:import|export)\s+(type\s)?([^;'"]*?from\s+)?'(\.[^']+)'/gm;
  const dynamic = /import\('(\.[^']+)'\)/g;
  const text = textOf(file);
  const to = (specifier: string | undefined) => resolve(dirname(file), specifier ?? '');
  return [
    ...[...text.matchAll(statement)].map(([, type, names, specifier]) => ({
      from: file,
      to: to(specifier),
      typeOnly: type !== undefined || onlyTypes(names ?? ''),
    })),
    ...[...text.matchAll(dynamic)].map(([, specifier]) => ({
      from: file,
      to: to(specifier),
      typeOnly: false,
    })),
  ];
}

/** `{ type A, type B } from` */
function onlyTypes(names: string): boolean {
  const inner = /\{([^}]*)\}/.exec(names)?.[1];
  return inner?.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type ')) ?? false;
}

/** `providers/github/parse.ts` belongs to the layer `providers`, `cli.ts` to `cli`: the longest name of the table wins. */
function layerOf(file: string): string {
  const [first = '', second = ''] = short(file).replace(/\.ts$/, '').split('/');
  return `${first}/${second}` in LAYERS ? `${first}/${second}` : first;
}

test('imports point down only', () => {
  expect(imports.length).toBeGreaterThan(100);
  const wrong = imports.filter(({ from, to, typeOnly }) => {
    const [own, other] = [layerOf(from), layerOf(to)];
    const allowed = LAYERS[own] ?? [];
    return own !== other && !allowed.includes(other) && !(typeOnly && allowed.includes(`type:${other}`));
  });
  expect(wrong.map(({ from, to }) => `${short(from)} → ${short(to)}`)).toEqual([]);
});

test('every folder has its place in the layers', () => {
  expect([...new Set(files.map(layerOf))].filter((layer) => !(layer in LAYERS))).toEqual([]);
});

test('there are no cycles, not even of types', () => {
  const next = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const cycleFrom = (file: string, path: readonly string[]): string | null => {
    const at = path.indexOf(file);
    if (at >= 0) return [...path.slice(at), file].map(short).join(' → ');
    if (done.has(file)) return null;
    const found = (next.get(file) ?? []).map(({ to }) => cycleFrom(to, [...path, file]));
    done.add(file);
    return found.find((cycle) => cycle !== null) ?? null;
  };
  expect(files.map((file) => cycleFrom(file, [])).filter((cycle) => cycle !== null)).toEqual([]);
});

test(`no file is over ${MAX_LINES} lines`, () => {
  const long = files.filter((file) => linesOf(file) > MAX_LINES);
  expect(long.map(short)).toEqual([]);
});

test(`no file under ${MIN_LINES} lines serves one file of its folder alone`, () => {
  const importers = Map.groupBy(imports, ({ to }) => to);
  const alone = files.filter((file) => {
    const from = [...new Set(importers.get(file)?.map((each) => each.from))];
    const isNeighbour = from.length === 1 && dirname(from[0] ?? '') === dirname(file);
    return isNeighbour && linesOf(file) < MIN_LINES && !isListed(file);
  });
  expect(alone.map((file) => `${short(file)}:1`)).toEqual([]);
});

/** A plug-in or a verb: it is a file of its own, however short. */
function isListed(file: string): boolean {
  return [...Object.keys(PLUG_INS), ...LISTS].includes(short(dirname(file)));
}

test(`no folder has more than ${MAX_FILES} files`, () => {
  const folders = [...Map.groupBy(files, dirname)].filter(([folder]) => !LISTS.includes(short(folder)));
  const large = folders.filter(([, inside]) => inside.length > MAX_FILES);
  expect(large.map(([folder, inside]) => `${short(folder)}: ${inside.length}`)).toEqual([]);
});

test('no export that nothing imports', () => {
  const users = usersOf();
  const exported =
    /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|enum) (\w+)/gm;
  const unused = files
    .filter((file) => !ENTRIES.includes(short(file)))
    .flatMap((file) => {
      const from = users(file);
      return [...textOf(file).matchAll(exported)].flatMap(({ 1: name = '', index }) => {
        const isUsed = from.some((user) => wordsOf(user).has(name));
        return isUsed ? [] : [`${short(file)}:${lineAt(textOf(file), index)}: ${name}`];
      });
    });
  expect(unused).toEqual([]);
});

/** The files of src/, test/ and dashboard/ that import a file, also through one that passes all of it on (`export * from`). */
function usersOf(): (file: string) => readonly string[] {
  const importers = Map.groupBy([...imports, ...outside.flatMap(importsOf)], ({ to }) => to);
  const passesOn = (user: string, file: string) =>
    new RegExp(`^export (?:type )?\\* from '[^']*${basename(file).replaceAll('.', '\\.')}'`, 'm').test(
      textOf(user),
    );
  const users = (file: string): readonly string[] =>
    (importers.get(file) ?? []).flatMap(({ from }) =>
      passesOn(from, file) ? [from, ...users(from)] : [from],
    );
  return users;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md']
  .concat(readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`))
  .filter((name) => name.endsWith('.md'))
  .map((name) => join(ROOT, name));
/** Files outside of src/ that import from it: tests, and the dashboard, which runs in a browser. */
const outside = ['test', 'dashboard'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && name !== 'architecture.test.ts')
    .map((name) => join(ROOT, folder, name)),
);

test('comments, messages, help and documents are in plain words', () => {
  const found = [...files, ...documents].flatMap((file) => bannedIn(textOf(file), file));
  expect(found).toEqual([]);
});

test('test titles are in plain words', () => {
  const title = /^\s*(?:(?:test|describe)(?:\.\w+)*\(|\]?\)\()\s*(?:async )?(['"`])(.*?)\1,/gms;
  const found = outside.flatMap((file) =>
    [...textOf(file).matchAll(title)].flatMap(({ 2: text = '', index, 0: match }) =>
      bannedIn(text, file, lineAt(textOf(file), index + match.indexOf(text)) - 1),
    ),
  );
  expect(found).toEqual([]);
});

test('G4: no title promises a time in seconds; the bench measures times', () => {
  const promise =
    /(?:test|it)(?:\.each\([^)]*\))?\(\s*(['"`])[^'"`]*(?:\bwithin \d+ ?(?:ms|s|seconds?)\b|\bno time\b|\bup nobody\b)/g;
  const found = outside
    .filter((file) => !short(file).includes('opt-in'))
    .flatMap((file) => [...textOf(file).matchAll(promise)].map(({ 0: title }) => `${short(file)}: ${title}`));
  expect(found).toEqual([]);
});

/** `file:line: "phrase", write: …` for each banned phrase. */
function bannedIn(text: string, file: string, linesBefore = 0): readonly string[] {
  return BANNED.flatMap(([phrase, instead]) =>
    [...text.matchAll(phrase)].map(({ index, 0: found }) => {
      const line = linesBefore + lineAt(text, index);
      return `${relative(ROOT, file)}:${line}: "${found}", write: ${instead}`;
    }),
  );
}

/** Says of a file to which plug-in of a folder it belongs: `ssh.ts`, `github`; null for what the folder shares. */
function plugInsOf(folder: string): (file: string) => string | null {
  const inFolder = (file: string) => relative(join(SRC, folder), file).split('/')[0] ?? '';
  const listed = imports
    .filter(({ from, typeOnly }) => short(from) === `${folder}/index.ts` && !typeOnly)
    .map(({ to }) => inFolder(to));
  return (file) => (listed.includes(inFolder(file)) ? inFolder(file) : null);
}

test.each(Object.entries(PLUG_INS))(
  'in %s a plug-in imports no sibling, and each is listed',
  (folder, type) => {
    const plugInOf = plugInsOf(folder);
    const siblings = imports.filter(({ from, to }) => {
      const [own, other] = [plugInOf(from), plugInOf(to)];
      return own !== null && other !== null && own !== other;
    });
    expect(siblings.map(({ from, to }) => `${short(from)} → ${short(to)}`)).toEqual([]);

    const declaration = new RegExp(`^export const \\w+: ${type}(?:<\\w+>)? = `, 'm');
    const declared = files.filter(
      (file) => short(file).startsWith(`${folder}/`) && declaration.test(textOf(file)),
    );
    expect(declared.length).toBeGreaterThan(0);
    expect(declared.filter((file) => plugInOf(file) === null).map(short)).toEqual([]);
  },
);

test('every command of the CLI is listed in its index', () => {
  const index = textOf(join(SRC, 'cli/index.ts'));
  const commands = files.filter((file) =>
    /^export (?:const|function) configure\w+.*: CliCommand /m.test(textOf(file)),
  );
  expect(commands.length).toBeGreaterThan(30);
  expect(
    commands.filter((file) => !index.includes(`'./${relative('cli', short(file))}'`)).map(short),
  ).toEqual([]);
});

test('the picture in ARCHITECTURE.md shows the rooms and imports of today', () => {
  const check = spawnSync(process.execPath, [join(ROOT, 'scripts/rooms.js'), '--check'], {
    encoding: 'utf8',
  });
  expect(check.stderr).toBe('');
});

test('SQL stands in the store alone', () => {
  const outside = files.filter((file) => !['store'].includes(layerOf(file)));
  expect(outside.filter((file) => /from 'node:sqlite'/.test(textOf(file))).map(short)).toEqual([]);
});

test.each([
  ['process.exit', /\bprocess\.exit\(/],
  ['default exports', /^export default\b/m],
  ['`any`', /[:<]\s*any\b(?!\.)/],
  ['unfinished work', /\b(?:TODO|FIXME|XXX)\b/],
])('there is no %s', (_, pattern) => {
  const code = (file: string) => textOf(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$|`[^`]*`/gm, '');
  // What runs inside a sandbox is a program of its own.
  const own = files.filter((file) => short(file) !== 'agents/sandbox/inside.ts');
  expect(own.filter((file) => pattern.test(code(file))).map(short)).toEqual([]);
});
