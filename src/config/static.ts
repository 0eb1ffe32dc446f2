import { glob, readFile, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ConfigProblem } from '../errors.ts';
import type { CallSite } from '../lib/call-site.ts';
import { type ProviderDraft, providerDraft } from '../lib/defined-provider.ts';
import { definitionOf } from './define.ts';
import { moduleProblem } from './module-errors.ts';
import { withProjectModules } from './module-hooks.ts';
import { moduleSource } from './module-source.ts';
import { type Fault, faultsOf, type Source, toProblem } from './problems.ts';
import { DEFAULT_STATIC } from './project-schema.ts';
import { withoutFaulty } from './prune.ts';
import { definitionSchema, type ValidDefinition } from './schema.ts';

/** A definition from a module, with its place. */
export interface StaticDefinition {
  readonly definition: ValidDefinition;
  readonly source: Source;
  readonly calledAt: CallSite;
  /** The project's own provider that it names; null when it names one of hookctl's. */
  readonly provider: ProviderDraft | null;
  /** What the schema found wrong; `definition` is then what remains without it. */
  readonly faults: readonly Fault[];
}

export interface StaticModules {
  readonly definitions: readonly StaticDefinition[];
  readonly problems: readonly ConfigProblem[];
}

export interface LoadedModules extends StaticModules {
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
export async function loadStatic(project: Source, patterns: readonly string[]): Promise<LoadedModules> {
  const expanded = await Promise.all(patterns.map((pattern) => expand(project, pattern)));
  const files = [...new Set(expanded.flatMap(({ files }) => files))].sort();
  const urls = files.map((file) => pathToFileURL(file).href);
  const modules = new Set<string>();
  const seen = (url: string) => void (url.startsWith('file:') && modules.add(fileURLToPath(url)));
  const loaded = await withProjectModules(urls, seen, () => Promise.all(files.map(loadModule)));
  const folders = patterns.map((pattern) => fixedFolder(resolve(dirname(project.file), pattern)));
  return {
    ...merge([...expanded.map(({ problems }) => ({ definitions: [], problems })), ...loaded]),
    sources: folders.every((folder) => folder !== null) ? [...files, ...modules, ...folders] : null,
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
  readonly problems: readonly ConfigProblem[];
}

async function expand(project: Source, pattern: string): Promise<Expanded> {
  const folder = dirname(project.file);
  const wanted: string[] = [];
  for await (const file of glob(pattern, { cwd: folder })) {
    if (!NO_WEBHOOK.test(file)) wanted.push(file);
  }
  // Node names a module by its real path; so do stack traces, and the lines found in them must fit.
  const files = await Promise.all(wanted.map((file) => realpath(resolve(folder, file))));
  const fault = (message: string, fix: string) => toProblem(project, { path: ['static'], message, fix });
  const odd = files.filter((file) => !/\.(ts|js|mjs)$/.test(file));
  const problems = odd.map((file) =>
    fault(`${pattern} takes in ${file}, which is no module`, 'Make the pattern end in .ts, .js or .mjs.'),
  );
  const missing = files.length === 0 && pattern !== DEFAULT_STATIC;
  return {
    files: files.filter((file) => !odd.includes(file)),
    problems: missing
      ? [fault(`${pattern} matches no file`, `Patterns are relative to ${folder}.`)]
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
  const faults = result.success ? [] : faultsOf(definitionSchema, result.error);
  const definition = definitionSchema.safeParse(withoutFaulty(written, faults)).data;
  return definition === undefined
    ? { definitions: [], problems: faults.map((fault) => toProblem(source, fault)) }
    : { definitions: [{ definition, source, calledAt, provider, faults }], problems: [] };
}

function merge(parts: readonly StaticModules[]): StaticModules {
  return {
    definitions: parts.flatMap(({ definitions }) => definitions),
    problems: parts.flatMap(({ problems }) => problems),
  };
}
