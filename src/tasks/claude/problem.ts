import { failure, HookctlError, messageOf } from '../../errors.ts';

/** An expected failure of the projection; its message becomes the task's `unsynced`. */
export function unwritable(reason: string): HookctlError {
  return failure('claude_tasks', reason);
}

/** Why writing to `folder` failed, in words that tell a user what to look at. */
export function reasonOf(error: unknown, folder: string): string {
  const code = errorCode(error);
  switch (code) {
    case 'ELOCKED':
      return `another program holds a lock in ${folder}`;
    case 'ENOENT':
      return `${folder} was removed while hookctl wrote to it`;
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ELOOP':
      return `${folder}, or something in it, is not the folder that it should be`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${folder} is not writable`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `no space is left for ${folder}`;
    default:
      // Not the message of a system error: its path is one through /proc, which tells nobody anything.
      return code === null || error instanceof HookctlError
        ? messageOf(error)
        : `${folder} could not be written (${code})`;
  }
}

/** The `code` of a system error (`ENOENT`) or of a lock that is held (`ELOCKED`); null for anything else. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
