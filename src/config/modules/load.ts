import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Diagnostic } from '../../errors.ts';
import type { CallSite } from '../../lib/call-site.ts';
import { issuesOf, type Source, toDiagnostic, withoutFaulty } from '../../lib/diagnostics.ts';
import { type ProviderDraft, providerDraft } from '../../types/defined-provider.ts';
import type { Issue } from '../../types.ts';
import { howToTrust, trustProblem } from '../project/trust.ts';
import { definitionSchema, type ValidDefinition } from '../schema.ts';
import { definitionOf } from './define.ts';
import { hashesOf, type KeptModules, moduleFiles, type UnloadedFile, unloadedModules } from './files.ts';
import { moduleProblem, withProjectModules } from './import.ts';

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
  const { files, issues } = await moduleFiles(project.file, patterns);
  const modules = new Set<string>(files);
  const { kept, trusted } = how;
  const loaded = kept === null ? await runModules(files, trusted, modules) : remembered(files, kept);
  return {
    definitions: loaded.definitions,
    problems: [...issues.map((issue) => toDiagnostic(project, issue)), ...loaded.problems],
    hashes: hashesOf([...modules]),
    unloaded: kept === null ? [] : unloadedModules(kept, project.file, files),
  };
}

/** How a project's modules come to be definitions. */
interface HowToLoad {
  /** What the last start kept, which is used instead of running them. Null when they are run. */
  readonly kept: KeptModules | null;
  /** Folders whose modules may be run, no matter who can write to them. */
  readonly trusted: readonly string[];
}

/** Runs modules, each only if its file and folder are the user's own or trusted; so for what they import. */
async function runModules(
  files: readonly string[],
  trusted: readonly string[],
  modules: Set<string>,
): Promise<StaticModules> {
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
  return merge([...loaded, { definitions: [], problems }]);
}

/** What the last start made of those modules that are still there. */
function remembered(files: readonly string[], { definitions }: KeptModules): StaticModules {
  return {
    problems: [],
    definitions: definitions
      .filter(({ file }) => files.includes(file))
      .map(({ definition, file, line, hasOwnProvider }) => ({
        definition,
        source: sourceAt({ file, line }),
        calledAt: { file, line },
        provider: null,
        issues: [],
        lacksProvider: hasOwnProvider,
      })),
  };
}

async function loadModule(file: string): Promise<StaticModules> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
    return merge([module.default].flat().map((value) => readDefinition(file, value)));
  } catch (error) {
    return { definitions: [], problems: [moduleProblem(file, error)] };
  }
}

function readDefinition(file: string, value: unknown): StaticModules {
  const defined = definitionOf(value);
  if (defined === null) {
    const message =
      value === undefined ? 'has no default export' : 'its default export is not made by defineWebhook';
    const fix = 'Write: export default defineWebhook({ name: …, provider: …, commands: [ … ] })';
    return { definitions: [], problems: [{ file, message, fix }] };
  }
  // A definition made by a helper elsewhere is still reported in the module that exports it.
  const calledAt = defined.calledAt?.file === file ? defined.calledAt : { file, line: 1 };
  const source = sourceAt(calledAt);
  const provider = providerDraft(defined.definition?.provider);
  const written = provider === null ? defined.definition : { ...defined.definition, provider: provider.name };
  const result = definitionSchema.safeParse(written);
  const issues = result.success ? [] : issuesOf(definitionSchema, result.error);
  const definition = definitionSchema.safeParse(withoutFaulty(written, issues)).data;
  return definition === undefined
    ? { definitions: [], problems: issues.map((issue) => toDiagnostic(source, issue)) }
    : { definitions: [{ definition, source, calledAt, provider, issues }], problems: [] };
}

/** Values of a running program do not know their lines: an issue is placed at the call, and its field is named. */
export function sourceAt({ file, line }: CallSite): Source {
  return { file, position: () => ({ line }) };
}

function merge(parts: readonly StaticModules[]): StaticModules {
  return {
    definitions: parts.flatMap(({ definitions }) => definitions),
    problems: parts.flatMap(({ problems }) => problems),
  };
}
