import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { App } from '../../app.ts';
import { prepareDataFolder } from '../../config/locate.ts';
import { defaultProject, readProject } from '../../config/project.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { claudeConfigDir, listFolderName } from '../../tasks/claude/index.ts';
import type { InstallRecord, SettingsEnv } from '../../tasks/claude/settings.ts';

/** Where Claude Code and this project meet. */
export async function claudePlace({ located, cwd, env, home }: App) {
  const { projectFile } = located;
  const project = projectFile === null ? defaultProject() : (await readProject(projectFile)).project;
  const { list, enabled, record } = project.claudeTasks;
  return {
    projectFolder: projectFile === null ? cwd : dirname(projectFile),
    list: listFolderName(list),
    enabled,
    record,
    configDir: claudeConfigDir(env, home),
  };
}

/** What hookctl set in settings files, by their paths. */
export async function readInstalled({ located }: App): Promise<InstallRecord> {
  const text = await readFile(recordPath(located.dataFolder), 'utf8').catch(() => '{}');
  return JSON.parse(text) as InstallRecord;
}

/** Notes what hookctl set in one settings file; an empty set forgets the file. */
export async function noteInstalled(app: App, path: string, env: SettingsEnv): Promise<void> {
  const { dataFolder } = app.located;
  const { [path]: _, ...others } = await readInstalled(app);
  await prepareDataFolder(dataFolder);
  const record = Object.keys(env).length === 0 ? others : { ...others, [path]: env };
  await writeFileAtomic(recordPath(dataFolder), JSON.stringify(record, null, 2));
}

function recordPath(dataFolder: string): string {
  return join(dataFolder, 'claude-settings.json');
}
