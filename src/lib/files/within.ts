import { isAbsolute, relative } from 'node:path';

/** Whether a path is a folder itself or inside it; both are absolute, and no link is followed. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!isAbsolute(way) && way.split('/')[0] !== '..');
}
