import { constants, openSync } from 'node:fs';

export type StandardStream = NodeJS.WriteStream & { readonly fd: number };

/**
 * A descriptor of a standard stream on which a write never waits; null where the system gives none. A pipe or a socket
 * is in that mode since Node opened it. A terminal is not, and its mode is shared with the shell: it is opened anew.
 */
export function unblockedDescriptor({ fd, isTTY }: StandardStream): number | null {
  if (!isTTY) return fd;
  return opened(`/proc/self/fd/${fd}`) ?? opened('/dev/tty');
}

function opened(path: string): number | null {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
}
