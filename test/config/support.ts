import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { actions } from '../../src/actions/index.ts';
import { type Configuration, createSnapshot, loadConfiguration } from '../../src/config/index.ts';
import { ConfigError, type Diagnostic } from '../../src/errors.ts';
import type { Webhook } from '../../src/types.ts';

/** A folder with these files, gone when the test ends. */
export function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-config-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export interface LoadFolder {
  readonly env?: Readonly<Record<string, string>>;
  readonly createMissing?: boolean;
  /** One built-in webhook by default: how many there are is not what most of these tests are about. */
  readonly allBuiltIn?: boolean;
}

/** Loads a folder's webhooks.yml in this process (for folders without modules: vitest would compile those itself). */
export async function load(
  folder: string,
  { env = {}, createMissing = false, allBuiltIn = false }: LoadFolder = {},
): Promise<Configuration> {
  const located = { projectFile: join(folder, 'webhooks.yml'), dataFolder: join(folder, '.hookctl') };
  const loaded = await loadConfiguration({ located, env, actions, createMissing });
  const isShown = ({ name, origin }: Webhook) =>
    allBuiltIn || origin.kind !== 'built-in' || name === 'github';
  return { ...loaded, snapshot: createSnapshot(loaded.snapshot.webhooks.filter(isShown)) };
}

/** The problems of a webhooks.yml, with the folder left out of their files. */
export async function problemsOf(yaml: string): Promise<readonly Diagnostic[]> {
  const folder = folderWith({ 'webhooks.yml': yaml });
  const error = await load(folder).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${error}`);
  return error.problems.map((problem) => ({ ...problem, file: problem.file.replace(`${folder}/`, '') }));
}

/** What `driver.ts` says of one folder. */
export interface Loaded {
  readonly problems: readonly Diagnostic[];
  readonly webhooks: readonly {
    readonly name: string;
    readonly endpoint: string;
    readonly origin: object;
    readonly commands: readonly string[];
  }[];
  readonly notices: readonly string[];
}

/** Loads folders in a Node of their own, as hookctl does; also returns what it wrote to stderr. */
export async function loadInNode(
  ...folders: readonly string[]
): Promise<{ readonly loaded: readonly Loaded[]; readonly stderr: string }> {
  const driver = join(import.meta.dirname, 'driver.ts');
  const env = { PATH: process.env.PATH ?? '' };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [driver, ...folders], { env });
  return { loaded: JSON.parse(stdout), stderr };
}

/** One project per entry, each with one module `webhooks/a.ts`; the problems of each, in the same order. */
export async function problemsOfModules(
  modules: readonly string[],
): Promise<readonly (readonly Diagnostic[])[]> {
  const folders = modules.map((module) =>
    folderWith({ 'webhooks.yml': '', 'package.json': '{"type":"commonjs"}', 'webhooks/a.ts': module }),
  );
  const { loaded } = await loadInNode(...folders);
  return loaded.map(({ problems }, index) =>
    problems.map((problem) => JSON.parse(JSON.stringify(problem).replaceAll(`${folders[index]}/`, ''))),
  );
}
