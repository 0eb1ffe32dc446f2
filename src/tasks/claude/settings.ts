import { mkdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failure, messageOf } from '../../errors.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { listFolderName } from './config-dir.ts';
import { errorCode } from './problem.ts';

/** Variables in the `env` block of a settings file; Claude Code gives them to its own session. */
export type SettingsEnv = Readonly<Record<string, string>>;

/** Which variables hookctl set in which settings file: only those are taken out again. */
export type InstallRecord = Readonly<Record<string, SettingsEnv>>;

/** What an install or uninstall did to the settings file. */
export interface SettingsChange {
  readonly path: string;
  readonly changed: readonly string[];
}

/** Names the list; `CLAUDE_CODE_ENABLE_TODO_TOOLS` asks for the Task tools, which newer models lack since 2.1.233. */
export function wantedEnv(list: string): SettingsEnv {
  return { CLAUDE_CODE_TASK_LIST_ID: listFolderName(list), CLAUDE_CODE_ENABLE_TODO_TOOLS: '1' };
}

/** The project's own settings that are not committed; Claude Code reads them over all others of the project. */
export function localSettings(projectFolder: string): string {
  return join(projectFolder, '.claude', 'settings.local.json');
}

/** The `env` block of a settings file; empty when there is none. Throws `claude_settings`. */
export async function readSettingsEnv(path: string): Promise<Readonly<Record<string, unknown>>> {
  return envOf(await readSettings(path), path);
}

/**
 * Adds variables to the `env` block, leaving everything else as it stands. Throws `claude_settings` when the file is no
 * JSON object, or one of the variables says something else already; nothing is written then.
 */
export async function installSettings(path: string, wanted: SettingsEnv): Promise<SettingsChange> {
  const settings = await readSettings(path);
  const env = envOf(settings, path);
  for (const [name, value] of Object.entries(wanted)) {
    if (name in env && env[name] !== value) {
      throw refused(
        `${path} sets ${name} to ${JSON.stringify(env[name])} already`,
        `Remove it there, or make it ${value}.`,
      );
    }
  }
  const changed = Object.keys(wanted).filter((name) => !(name in env));
  if (changed.length > 0) await writeSettings(path, settings, { ...env, ...wanted });
  return { path, changed };
}

/** Takes those variables out again that still say what hookctl wrote; a file of which nothing is left is removed. */
export async function uninstallSettings(path: string, installed: SettingsEnv): Promise<SettingsChange> {
  const settings = await readSettings(path);
  const env = envOf(settings, path);
  const changed = Object.keys(installed).filter((name) => env[name] === installed[name]);
  if (changed.length === 0) return { path, changed };
  const left = Object.fromEntries(Object.entries(env).filter(([name]) => !changed.includes(name)));
  const { env: _, ...others } = settings?.value ?? {};
  if (Object.keys(left).length > 0) await writeSettings(path, settings, left);
  else if (Object.keys(others).length > 0) await write(path, settings, others);
  else await rm(path);
  return { path, changed };
}

interface Settings {
  readonly value: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Null when there is no such file. */
async function readSettings(path: string): Promise<Settings | null> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.trim() === '') return { value: {}, text };
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return { value, text };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw refused(`${path} can't be read: ${messageOf(error)}`, 'Correct it; nothing was changed.');
  }
  throw refused(`${path} holds no JSON object`, 'Correct it; nothing was changed.');
}

function envOf(settings: Settings | null, path: string): Readonly<Record<string, unknown>> {
  const env = settings?.value.env ?? {};
  if (isObject(env)) return env;
  throw refused(`\`env\` in ${path} is no object`, 'Correct it; nothing was changed.');
}

function writeSettings(path: string, settings: Settings | null, env: object): Promise<void> {
  return write(path, settings, { ...settings?.value, env });
}

/** Indented as it was. The file behind a symbolic link is written, not the link replaced. */
async function write(path: string, settings: Settings | null, value: object): Promise<void> {
  const indent = /^\{\r?\n([ \t]+)"/.exec(settings?.text ?? '')?.[1] ?? '  ';
  await mkdir(dirname(path), { recursive: true });
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (stats) => stats.mode & 0o777,
    () => 0o600,
  );
  await writeFileAtomic(target, `${JSON.stringify(value, null, indent)}\n`, { mode });
}

function refused(message: string, fix: string): Error {
  return failure('claude_settings', message, { fix });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
