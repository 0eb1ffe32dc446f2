import { sep } from 'node:path';
import { failure, messageOf } from '../../errors.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html); the upper bits of an extended one say more. */
const CODES: Readonly<Record<number, 'damaged' | 'unusable'>> = {
  8: 'unusable', // SQLITE_READONLY
  10: 'unusable', // SQLITE_IOERR
  11: 'damaged', // SQLITE_CORRUPT
  13: 'unusable', // SQLITE_FULL
  14: 'unusable', // SQLITE_CANTOPEN
  26: 'damaged', // SQLITE_NOTADB
};
const PRIMARY = 0xff;
/** What the file system says when rights or room are missing. */
const ERRNO = ['EACCES', 'EDQUOT', 'EIO', 'ENOSPC', 'EPERM', 'EROFS'];

/**
 * What a user can do about an error of SQLite or of the file system: `store_damaged` when the file is no longer what SQLite wrote,
 * `store_unusable` when disk or rights are in the way. Any other error comes back as it is.
 */
export function explained(error: unknown, path: string): unknown {
  switch (kindOf(error)) {
    case 'damaged':
      return failure(
        'store_damaged',
        `${path} is damaged (${messageOf(error)}). Nothing was changed in it.`,
        {
          fix: 'Stop hookctl and put a backup in its place: `hookctl restore <folder>`. Keep the damaged one, too.',
          cause: error,
        },
      );
    case 'unusable':
      return failure('store_unusable', `${path} can't be used: ${messageOf(error)}.`, {
        fix: 'See that its disk has room and that you may write there, or choose another folder with HOOKCTL_HOME.',
        cause: error,
      });
    default:
      return error;
  }
}

/** The same for an error of the file system that names a file of this folder; any other comes back as it is. */
export function explainedWithin(error: unknown, folder: string): unknown {
  const isWithin = error instanceof Error && 'path' in error && `${error.path}`.startsWith(folder + sep);
  return isWithin ? explained(error, folder) : error;
}

function kindOf(error: unknown): 'damaged' | 'unusable' | null {
  if (!(error instanceof Error)) return null;
  if ('errcode' in error) return CODES[Number(error.errcode) & PRIMARY] ?? null;
  return 'code' in error && ERRNO.includes(String(error.code)) ? 'unusable' : null;
}
