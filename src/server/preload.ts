/**
 * Reads the packages that requests and replies need later. With every file descriptor in use, a package that is read
 * only then can't be read, and Node remembers the failure for as long as the process lives.
 */
export async function preload(): Promise<void> {
  await Promise.all([import('undici'), import('proper-lockfile')]);
}
