import { mkdir, readFile, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { failure, messageOf } from '../../errors.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { isJsonObject } from '../../lib/json.ts';
import { errorCode, listFolderName } from './folder.ts';

/**
 * An object within a JSON file of Claude Code, of which hookctl sets some entries: variables of its sessions and plugins
 * (`env` and others of a settings file), or MCP servers (`mcpServers` of `.mcp.json`).
 */
export interface SettingsBlock {
  readonly path: string;
  readonly block: 'env' | 'mcpServers' | 'extraKnownMarketplaces' | 'enabledPlugins';
}

export type Entries = Readonly<Record<string, unknown>>;

/** What hookctl added to a file: an uninstall removes only that. */
export interface Installed {
  readonly entries: Entries;
  /** The folder of the file is hookctl's, too. */
  readonly madeFolder: boolean;
}

/** What an install or uninstall did to a file: names of entries. */
interface SettingsChange {
  readonly changed: readonly string[];
  /** The folder of the file was made for it. */
  readonly madeFolder: boolean;
}

/** Names the list; `CLAUDE_CODE_ENABLE_TODO_TOOLS` asks for the Task tools, which newer models lack since 2.1.233. */
export function wantedEnv(list: string): Readonly<Record<string, string>> {
  return { CLAUDE_CODE_TASK_LIST_ID: listFolderName(list), CLAUDE_CODE_ENABLE_TODO_TOOLS: '1' };
}

/** The project's own settings that are not committed; Claude Code reads them over all others of the project. */
export function localSettings(
  projectFolder: string,
  block: Exclude<SettingsBlock['block'], 'mcpServers'> = 'env',
): SettingsBlock {
  return { path: join(projectFolder, '.claude', 'settings.local.json'), block };
}

/** The project's MCP servers, which are committed: no secret may be written there. Claude Code asks before it uses one. */
export function projectMcp(projectFolder: string): SettingsBlock {
  return { path: join(projectFolder, '.mcp.json'), block: 'mcpServers' };
}

/** The entries of a block; empty when there is no such file. Throws `claude_settings`. */
export async function readEntries(settingsBlock: SettingsBlock): Promise<Entries> {
  return entriesOf(await readSettings(settingsBlock.path), settingsBlock);
}

/**
 * Adds entries to a block and changes nothing else. Throws `claude_settings` when the file is no JSON
 * object, or one of the entries says something else already; nothing is written then.
 */
export async function installEntries(settingsBlock: SettingsBlock, wanted: Entries): Promise<SettingsChange> {
  const { path } = settingsBlock;
  const settings = await readSettings(path);
  const present = entriesOf(settings, settingsBlock);
  for (const [name, value] of Object.entries(wanted)) {
    if (name in present && !isDeepStrictEqual(present[name], value)) {
      throw refused(
        `${path} sets ${name} to ${JSON.stringify(present[name])} already`,
        `Remove it there, or make it ${JSON.stringify(value)}.`,
      );
    }
  }
  const changed = Object.keys(wanted).filter((name) => !(name in present));
  if (changed.length === 0) return { changed, madeFolder: false };
  const madeFolder = (await mkdir(dirname(path), { recursive: true })) !== undefined;
  await writeBlock(settingsBlock, settings, { ...present, ...wanted });
  return { changed, madeFolder };
}

/**
 * Removes the entries that still say what hookctl wrote. A file without other content is removed, and so is its folder, if
 * hookctl made that and it is empty.
 */
export async function uninstallEntries(
  settingsBlock: SettingsBlock,
  { entries, madeFolder }: Installed,
): Promise<readonly string[]> {
  const { path, block } = settingsBlock;
  const settings = await readSettings(path);
  const present = entriesOf(settings, settingsBlock);
  const changed = Object.keys(entries).filter((name) => isDeepStrictEqual(present[name], entries[name]));
  if (changed.length === 0) return changed;
  const left = Object.fromEntries(Object.entries(present).filter(([name]) => !changed.includes(name)));
  const { [block]: _, ...others } = settings?.value ?? {};
  if (Object.keys(left).length > 0) await writeBlock(settingsBlock, settings, left);
  else if (Object.keys(others).length > 0) await write(settingsBlock, settings, others);
  else {
    await rm(path);
    // Other files in it belong to other programs.
    if (madeFolder) await rmdir(dirname(path)).catch(() => undefined);
  }
  return changed;
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
    if (isJsonObject(value)) return { value, text };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw refused(`${path} can't be read: ${messageOf(error)}`, 'Correct it; nothing was changed.');
  }
  throw refused(`${path} holds no JSON object`, 'Correct it; nothing was changed.');
}

function entriesOf(settings: Settings | null, { path, block }: SettingsBlock): Entries {
  const entries = settings?.value[block] ?? {};
  if (isJsonObject(entries)) return entries;
  throw refused(`\`${block}\` in ${path} is no object`, 'Correct it; nothing was changed.');
}

function writeBlock(
  settingsBlock: SettingsBlock,
  settings: Settings | null,
  entries: Entries,
): Promise<void> {
  return write(settingsBlock, settings, { ...settings?.value, [settingsBlock.block]: entries });
}

/** Indented as it was. The file behind a symbolic link is written, not the link replaced. */
async function write(
  { path, block }: SettingsBlock,
  settings: Settings | null,
  value: object,
): Promise<void> {
  const indent = /^\{\r?\n([ \t]+)"/.exec(settings?.text ?? '')?.[1] ?? '  ';
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (stats) => stats.mode & 0o777,
    () => (block === 'mcpServers' ? 0o644 : 0o600),
  );
  await writeFileAtomic(target, `${JSON.stringify(value, null, indent)}\n`, { mode });
}

function refused(message: string, fix: string): Error {
  return failure('claude_settings', message, { fix });
}
