import { readdir, readFile } from 'node:fs/promises';

const CLOSED_ON_EXEC = 0o2000000;

/**
 * Descriptors above 2 that this process was started with and that its children would get as well: a file or socket of
 * whoever started it. Node opens its own so that they do not. macOS closes them all by itself when it starts a program,
 * so that there are none to tell of.
 */
export async function inheritedDescriptors(): Promise<readonly number[]> {
  const names = await readdir('/proc/self/fdinfo').catch(() => []);
  const open = await Promise.all(
    names.map(async (name) => {
      // One that was closed meanwhile is no longer there.
      const info = await readFile(`/proc/self/fdinfo/${name}`, 'utf8').catch(() => '');
      const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '', 8);
      const stays = !Number.isNaN(flags) && (flags & CLOSED_ON_EXEC) === 0;
      return stays && Number(name) > 2 ? [Number(name)] : [];
    }),
  );
  return open.flat();
}
