import { join } from 'node:path';

/** Claude Code's configuration folder. */
export interface ClaudeConfigDir {
  readonly path: string;
  /** The user named it (`CLAUDE_CONFIG_DIR`), so that hookctl may create it. */
  readonly explicit: boolean;
}

/** Where Claude Code keeps its files: `CLAUDE_CONFIG_DIR`, else `~/.claude`, NFC-normalised as Claude Code does. */
export function claudeConfigDir(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): ClaudeConfigDir {
  const named = env.CLAUDE_CONFIG_DIR ?? '';
  const path = named === '' ? join(home, '.claude') : named;
  return { path: path.normalize('NFC'), explicit: named !== '' };
}

/** The folder name that Claude Code makes of a list id (2.1.16 to 2.1.330). */
export function listFolderName(list: string): string {
  return list.replace(/[^a-zA-Z0-9_-]/g, '-');
}

/**
 * The line that opens a Claude Code session on a list. Since 2.1.233 newer models have the Task tools only when the
 * second variable asks for them.
 */
export function sessionCommand(list: string): string {
  return `CLAUDE_CODE_TASK_LIST_ID=${listFolderName(list)} CLAUDE_CODE_ENABLE_TODO_TOOLS=1 claude`;
}
