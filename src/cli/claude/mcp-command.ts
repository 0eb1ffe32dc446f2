import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../../package-root.ts';
import type { Services } from '../../services.ts';

/** How Claude Code starts `hookctl mcp`. */
interface McpServerEntry {
  readonly type: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
}

/** An entry for `.mcp.json`. */
interface McpCommand {
  readonly entry: McpServerEntry;
  /** It works for whoever has the project; false: it names a path of this machine. */
  readonly portable: boolean;
}

/** hookctl as the users of a project reach it: on the PATH, as its dependency, else where it lies. */
export async function mcpCommand({ env }: Services, projectFolder: string): Promise<McpCommand> {
  const entry = (command: string, ...args: readonly string[]): McpServerEntry => ({
    type: 'stdio',
    command,
    args: [...args, 'mcp'],
  });
  if (await isOnPath('hookctl', env.PATH ?? '')) return { entry: entry('hookctl'), portable: true };
  if (await isProgram(join(projectFolder, 'node_modules/.bin/hookctl'))) {
    // `--no`: what is not installed is not fetched from anywhere.
    return { entry: entry('npx', '--no', '--', 'hookctl'), portable: true };
  }
  const script = fileURLToPath(new URL('bin/hookctl.js', PACKAGE_ROOT));
  return { entry: entry('node', script), portable: false };
}

async function isOnPath(name: string, path: string): Promise<boolean> {
  const found = await Promise.all(
    path
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) => isProgram(join(folder, name))),
  );
  return found.includes(true);
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
