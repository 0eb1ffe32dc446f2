import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultClaudeList } from '../../config/project/claude-list.ts';
import { prepareDataFolder } from '../../config/project/locate.ts';
import { defaultProject, readProject } from '../../config/project/schema.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import type { Services } from '../../services.ts';
import { claudeConfigDir, listFolderName } from '../../tasks/claude/index.ts';
import type { Installed } from '../../tasks/claude/settings.ts';

/** The task list and folders that this project shares with Claude Code. */
export async function claudePlace({ located, cwd, env, home }: Services) {
  const { projectFile } = located;
  const project = projectFile === null ? defaultProject() : (await readProject(projectFile)).project;
  const { list, enabled, record } = project.claudeTasks;
  return {
    projectFolder: projectFile === null ? cwd : dirname(projectFile),
    list: listFolderName(list ?? defaultClaudeList(projectFile, env)),
    enabled,
    record,
    configDir: claudeConfigDir(env, home),
  };
}

/** The entries that hookctl added to Claude Code's files, by `recordKey`. */
type InstallRecord = Readonly<Record<string, Installed>>;

/** The entries that hookctl added to a file. Null when none. */
export async function readInstalled({ located }: Services, path: string): Promise<Installed | null> {
  return (await readRecord(located.dataFolder))[path] ?? null;
}

/** Records entries that hookctl added to a file. */
export async function noteInstalled(app: Services, path: string, more: Installed): Promise<void> {
  const before = await readInstalled(app, path);
  await noteFile(app, path, {
    entries: { ...before?.entries, ...more.entries },
    madeFolder: more.madeFolder || (before?.madeFolder ?? false),
  });
}

/** Records that a file has no entries of hookctl any more. */
export async function forgetInstalled(app: Services, path: string): Promise<void> {
  if ((await readInstalled(app, path)) !== null) await noteFile(app, path, null);
}

async function noteFile({ located }: Services, path: string, installed: Installed | null): Promise<void> {
  const { dataFolder } = located;
  const { [path]: _, ...others } = await readRecord(dataFolder);
  await prepareDataFolder(dataFolder);
  const record: InstallRecord = installed === null ? others : { ...others, [path]: installed };
  await writeFileAtomic(recordPath(dataFolder), JSON.stringify(record, null, 2));
}

async function readRecord(dataFolder: string): Promise<InstallRecord> {
  return JSON.parse(await readFile(recordPath(dataFolder), 'utf8').catch(() => '{}')) as InstallRecord;
}

function recordPath(dataFolder: string): string {
  return join(dataFolder, 'claude-settings.json');
}
