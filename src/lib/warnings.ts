/**
 * Keeps Node's note that `node:sqlite` is experimental (Node 22 prints it once for each thread) away from the user,
 * who can do nothing about it. Everything else still warns.
 */
export function muteSqliteWarning(): void {
  const emit = process.emitWarning.bind(process) as (warning: string | Error, ...rest: unknown[]) => void;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    const text = typeof warning === 'string' ? warning : warning.message;
    if (!text.startsWith('SQLite is')) emit(warning, ...rest);
  }) as typeof process.emitWarning;
}
