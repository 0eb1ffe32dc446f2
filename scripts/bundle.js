// The second half of the build, in a process of its own: rolldown may need a newer Node than the machine's own.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** Each becomes a file of that name in dist/, which package.json, bin/ or `src/package-root.ts` name. */
const ENTRIES = [
  'cli',
  'process-host',
  'store/local/writer',
  'store/postgres/writer',
  'store/postgres/connection',
  'index',
  'contract',
];
/** Entries of package.json, whose types users read. */
const PUBLIC = ['index', 'contract'];

/**
 * What most commands load, together in few files, because each file costs a start about as much as a thousand lines. A
 * module is in the first set that reaches it.
 */
const TOGETHER = {
  // On its own, because some load it only when they write.
  'atomic-file': ['lib/files/atomic-file'],
  start: ['cli', 'process-host'],
  program: ['cli/kit/program'],
  list: ['store/local/lock', 'config/project/locate', 'cli/kit/operate', 'cli/kit/print', 'cli/kit/table'],
  store: ['services', 'cli/kit/list', 'cli/kit/stored', 'store/local/index', 'views'],
  listing: ['config/listing', 'providers/index'],
  configuration: ['config/index', 'deliveries/explain', 'deliveries/replay', 'cli/kit/explanation'],
  // Of the built-in webhooks.
  providers: ['github', 'gitlab', 'jira', 'sentry', 'slack'].map((name) => `providers/${name}/index`),
};

/** Packages that some commands load without the set which reaches them. */
const APART = ['yaml'];

function groups() {
  const apart = APART.map((name) => ({
    name,
    test: (file) => file.includes(`/node_modules/${name}/`),
    priority: 200,
  }));
  const together = Object.entries(TOGETHER).map(([name, modules], index) => {
    const files = modules.map((module) => realpathSync(join(root, 'src', `${module}.ts`)));
    return { name, test: (file) => files.includes(file), priority: 100 - index };
  });
  return [...apart, ...together];
}

/** Writes the code of dist/, and returns the paths of the modules in it. */
async function bundle() {
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}.ts`])),
    platform: 'node',
    tsconfig: false,
    plugins: [
      { name: 'builtins-by-need', renderChunk: (code) => ({ code: builtinsByNeed(code), map: null }) },
    ],
    // A lazy import that loads nothing later, for example: it costs every start.
    onLog(level, log, next) {
      if (level === 'warn') throw new Error(log.message);
      next(level, log);
    },
  });
  const { output } = await build.write({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    // Beside the entries, so that `src/package-root.ts` is right in each.
    chunkFileNames: 'chunk-[name].js',
    comments: { legal: false, annotation: false, jsdoc: false },
    codeSplitting: { groups: groups() },
    sourcemap: true,
    sourcemapExcludeSources: true,
  });
  await build.close();
  return output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
}

/**
 * Node's own modules, taken by `process.getBuiltinModule`: an `import` of one evaluates all that it exports, although Node
 * makes most of it on first use, so that `node:util` alone would load 34 others. Lines stay where they are, for the source map.
 */
function builtinsByNeed(code) {
  return code.replace(
    /^import (?:(?:\* as )?([\w$]+)(?:, )?)?(\{[^}]*\})? from "(node:[a-z0-9_/]+)";$/gm,
    (_, whole, named, id) => {
      const taken = `globalThis.process.getBuiltinModule("${id}");`;
      const parts = [whole, named?.replaceAll(' as ', ': ')].filter((part) => part !== undefined);
      return parts.map((part) => `const ${part} = ${taken}`).join(' ');
    },
  );
}

/** Removes the types that no public entry reaches. */
function keepPublicTypes() {
  const kept = new Set();
  const visit = (file) => {
    if (kept.has(file)) return;
    kept.add(file);
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)) {
      visit(resolve(dirname(file), name.replace(/\.[jt]s$/, '.d.ts')));
    }
  };
  for (const name of PUBLIC) visit(join(dist, `${name}.d.ts`));
  for (const entry of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (entry.endsWith('.d.ts') && !kept.has(join(dist, entry))) rmSync(join(dist, entry));
  }
}

/** The licence of each package whose code is in the bundle, as most of them ask. */
function thirdParty(modules) {
  const folders = new Set();
  for (const path of modules) {
    const [, folder] = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    if (folder !== undefined) folders.add(folder);
  }
  const parts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((entry) => /^(?:licen[cs]e|notice)/i.test(entry));
    const texts = files.map((file) => `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`);
    return `${name} ${version} (${license})\n${texts.join('')}`;
  });
  return `hookctl contains code of these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/** The samples of the built-in providers, which are read when a command asks for them: `dist/samples/<provider>.json`. */
function copySamples() {
  mkdirSync(join(dist, 'samples'), { recursive: true });
  for (const name of readdirSync(join(root, 'src/providers'))) {
    const file = join(root, 'src/providers', name, 'samples.json');
    if (existsSync(file)) copyFileSync(file, join(dist, 'samples', `${name}.json`));
  }
}

/** The dashboard, as files that a browser loads: `dist/dashboard/`. Returns the paths of the modules in its script. */
async function bundleDashboard() {
  const folder = join(dist, 'dashboard');
  const source = join(root, 'dashboard');
  const build = await rolldown({
    cwd: root,
    input: { app: 'dashboard/main.tsx' },
    platform: 'browser',
    tsconfig: false,
    transform: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  });
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    minify: true,
    comments: false,
  });
  await build.close();
  copyFileSync(join(source, 'icon.svg'), join(folder, 'icon.svg'));
  const { PAGES, pathOf } = await import('../dashboard/kit/route.ts');
  const links = PAGES.map(([page, name]) => `<a href="${pathOf(page)}">${name}</a>`).join('');
  const document = readFileSync(join(source, 'index.html'), 'utf8').replace('<!--pages-->', links);
  writeFileSync(join(folder, 'index.html'), document);
  const plots = readFileSync(join(root, 'node_modules/uplot/dist/uPlot.min.css'), 'utf8');
  writeFileSync(join(folder, 'style.css'), plots + readFileSync(join(source, 'style.css'), 'utf8'));
  return output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
}

/** What is made of the commands and schemas: the completions of shells, and the JSON Schema of webhooks.yml. */
async function writeGenerated() {
  const { main } = await import('../src/cli.ts');
  const { processHost } = await import('../src/process-host.ts');
  mkdirSync(join(dist, 'completions'), { recursive: true });
  const write = async (file, ...args) => {
    const texts = [];
    const out = { isTerminal: false, color: false, write: (text) => void texts.push(text) };
    const host = processHost();
    if ((await main(args, { ...host, io: { ...host.io, out } })) !== 0) throw new Error(`no ${file}`);
    writeFileSync(join(dist, file), texts.join(''));
  };
  for (const shell of ['bash', 'zsh', 'fish', 'json'])
    await write(`completions/${shell}`, 'completion', shell);
  await write('webhooks.schema.json', 'schema');
}

if (!existsSync(dist)) throw new Error('dist/ is missing: run scripts/build.js, which runs this file');
keepPublicTypes();
copySamples();
writeFileSync(join(dist, 'THIRD-PARTY'), thirdParty([...(await bundle()), ...(await bundleDashboard())]));
await writeGenerated();
