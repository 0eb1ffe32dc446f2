import { glob, readFile, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Diagnostic } from '../../errors.ts';
import type { CallSite } from '../../lib/call-site.ts';
import { issuesOf, type Source, toDiagnostic } from '../../lib/diagnostics.ts';
import { type ProviderDraft, providerDraft } from '../../types/defined-provider.ts';
import type { Issue } from '../../types.ts';
import { DEFAULT_STATIC } from '../project/schema.ts';
import { howToTrust, trustProblem } from '../project/trust.ts';
import { definitionSchema, type ValidDefinition } from '../schema.ts';
import { definitionOf } from './define.ts';
import { hashesOf, type KeptModules, type UnloadedFile, unloadedFiles } from './files.ts';
import { moduleProblem, withProjectModules } from './import.ts';
import { withoutFaulty } from './prune.ts';
import { moduleSource } from './source.ts';

/** A definition from a module, with its place. */
export interface StaticDefinition {
  /** True: the provider it names is code of the project, which was not run. */
  readonly lacksProvider?: boolean;
  readonly definition: ValidDefinition;
  readonly source: Source;
  readonly calledAt: CallSite;
  /** The project's own provider that it names; null when it names one of hookctl's. */
  readonly provider: ProviderDraft | null;
  /** What the schema found wrong; `definition` is then what remains without it. */
  readonly issues: readonly Issue[];
}

interface StaticModules {
  readonly definitions: readonly StaticDefinition[];
  readonly problems: readonly Diagnostic[];
}

interface LoadedModules extends StaticModules {
  /** Hashes of the modules that `static:` names, and of what they import where they were run. */
  readonly hashes: KeptModules['files'];
  /** Those of them that are not what the definitions came from. */
  readonly unloaded: readonly UnloadedFile[];
  /**
   * Every module of the project that had a say, and the folders where more may appear; null when a pattern has
   * folders of its own, so that this can't be told.
   */
  readonly sources: readonly string[] | null;
}

/**
 * Loads the modules that `static:` names, relative to webhooks.yml, in order of their paths. Node keeps a module
 * for the life of the process: a changed one needs a restart.
 */
export async function loadStatic(
  project: Source,
  patterns: readonly string[],
  how: HowToLoad,
): Promise<LoadedModules> {
  const expanded = await Promise.all(patterns.map((pattern) => expand(project, pattern)));
  const files = filesOf(expanded);
  const modules = new Set<string>(files);
  const loaded =
    how.kept === null ? await runModules(files, how.trusted, modules) : [remembered(files, how.kept)];
  const folders = patterns.map((pattern) => fixedFolder(resolve(dirname(project.file), pattern)));
  return {
    ...merge([...expanded.map(({ problems }) => ({ definitions: [], problems })), ...loaded]),
    hashes: hashesOf([...modules]),
    unloaded: how.kept === null ? [] : changedSince(modulesIn(how.kept, project.file), files),
    sources: folders.every((folder) => folder !== null) ? [...modules, ...folders] : null,
  };
}

/** How a project's modules come to be definitions. */
interface HowToLoad {
  /** What the last start kept, which stands in for running them; null: they are run. */
  readonly kept: KeptModules | null;
  /** Folders whose modules may be run whoever wrote them. */
  readonly trusted: readonly string[];
}

/** The modules that the patterns of `static:` name now. */
export async function staticFiles(project: Source, patterns: readonly string[]): Promise<readonly string[]> {
  return filesOf(await Promise.all(patterns.map((pattern) => expand(project, pattern))));
}

function filesOf(expanded: readonly Expanded[]): readonly string[] {
  return [...new Set(expanded.flatMap(({ files }) => files))].sort();
}

function changedSince(loaded: KeptModules['files'], files: readonly string[]): readonly UnloadedFile[] {
  return unloadedFiles(loaded, hashesOf([...new Set([...files, ...Object.keys(loaded)])]));
}

function modulesIn({ files }: KeptModules, projectFile: string): KeptModules['files'] {
  return Object.fromEntries(Object.entries(files).filter(([file]) => file !== projectFile));
}

/** Runs modules, each only if its file and folder are the user's own or trusted; so for what they import. */
async function runModules(
  files: readonly string[],
  trusted: readonly string[],
  modules: Set<string>,
): Promise<readonly StaticModules[]> {
  const judged = files.map((file) => ({ file, problem: trustProblem(file, trusted) }));
  const own = judged.flatMap(({ file, problem }) => (problem === null ? [file] : []));
  const seen = (url: string) => {
    if (!url.startsWith('file:')) return;
    const file = fileURLToPath(url);
    modules.add(file);
    const problem = trustProblem(file, trusted);
    if (problem !== null) throw new Error(`${file} is not run: ${problem}. ${howToTrust(file)}`);
  };
  const urls = own.map((file) => pathToFileURL(file).href);
  const loaded = await withProjectModules(urls, seen, () => Promise.all(own.map(loadModule)));
  const problems = judged.flatMap(({ file, problem }) =>
    problem === null ? [] : [{ file, message: `is not run: ${problem}`, fix: howToTrust(file) }],
  );
  return [...loaded, { definitions: [], problems }];
}

/** What the last start made of those modules that are still there. */
function remembered(files: readonly string[], { definitions }: KeptModules): StaticModules {
  return {
    problems: [],
    definitions: definitions
      .filter(({ file }) => files.includes(file))
      .map(({ definition, file, line, hasOwnProvider }) => ({
        definition,
        source: { file, position: () => ({ line }) },
        calledAt: { file, line },
        provider: null,
        issues: [],
        lacksProvider: hasOwnProvider,
      })),
  };
}

/** The folder of a pattern; null when that is a pattern, too. */
function fixedFolder(pattern: string): string | null {
  const folder = dirname(pattern);
  return /[*?[\]{}()!+@]/.test(folder) ? null : folder;
}

/** Declarations, packages, and the tests that stand beside a project's modules: to load one would run it. */
const NO_WEBHOOK = /\.d\.ts$|\.(?:test|spec)\.[mc]?[jt]s$|(?:^|\/)node_modules\//;

interface Expanded {
  readonly files: readonly string[];
  readonly problems: readonly Diagnostic[];
}

async function expand(project: Source, pattern: string): Promise<Expanded> {
  const folder = dirname(project.file);
  const wanted: string[] = [];
  for await (const file of glob(pattern, { cwd: folder })) {
    if (!NO_WEBHOOK.test(file)) wanted.push(file);
  }
  // Node names a module by its real path; so do stack traces, and the lines found in them must fit.
  const files = await Promise.all(wanted.map((file) => realpath(resolve(folder, file))));
  const issue = (message: string, fix: string) => toDiagnostic(project, { path: ['static'], message, fix });
  const odd = files.filter((file) => !/\.(ts|js|mjs)$/.test(file));
  const problems = odd.map((file) =>
    issue(`${pattern} takes in ${file}, which is no module`, 'Make the pattern end in .ts, .js or .mjs.'),
  );
  const missing = files.length === 0 && pattern !== DEFAULT_STATIC;
  return {
    files: files.filter((file) => !odd.includes(file)),
    problems: missing
      ? [issue(`${pattern} matches no file`, `Patterns are relative to ${folder}.`)]
      : problems,
  };
}

async function loadModule(file: string): Promise<StaticModules> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
    return await readExport(file, module.default);
  } catch (error) {
    return { definitions: [], problems: [moduleProblem(file, error)] };
  }
}

async function readExport(file: string, exported: unknown): Promise<StaticModules> {
  const text = await readFile(file, 'utf8');
  return merge([exported].flat().map((value) => readDefinition(file, text, value)));
}

function readDefinition(file: string, text: string, value: unknown): StaticModules {
  const defined = definitionOf(value);
  if (defined === null) {
    const message =
      value === undefined ? 'has no default export' : 'its default export is not made by defineWebhook';
    const fix = 'Write: export default defineWebhook({ name: …, provider: …, commands: [ … ] })';
    return { definitions: [], problems: [{ file, message, fix }] };
  }
  // A definition made by a helper elsewhere is still reported in the module that exports it.
  const calledAt = defined.calledAt?.file === file ? defined.calledAt : { file, line: 1 };
  const source = moduleSource(text, calledAt, defined.definition);
  const provider = providerDraft(defined.definition?.provider);
  const written = provider === null ? defined.definition : { ...defined.definition, provider: provider.name };
  const result = definitionSchema.safeParse(written);
  const issues = result.success ? [] : issuesOf(definitionSchema, result.error);
  const definition = definitionSchema.safeParse(withoutFaulty(written, issues)).data;
  return definition === undefined
    ? { definitions: [], problems: issues.map((issue) => toDiagnostic(source, issue)) }
    : { definitions: [{ definition, source, calledAt, provider, issues }], problems: [] };
}

function merge(parts: readonly StaticModules[]): StaticModules {
  return {
    definitions: parts.flatMap(({ definitions }) => definitions),
    problems: parts.flatMap(({ problems }) => problems),
  };
}
