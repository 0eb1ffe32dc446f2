import { type ExitCode, HookctlError, messageOf } from './errors.ts';
import { type Io, paint, say, through } from './lib/io.ts';
import { escapeInvisible } from './lib/text/escape-invisible.ts';
import { hookctlVersion } from './package-root.ts';
import type { Host } from './services.ts';

/** Runs one command line. The only place where exit codes are decided. */
export async function main(argv: readonly string[], outer: Host): Promise<ExitCode> {
  if (asksVersion(argv)) {
    say(outer.io.out, hookctlVersion());
    return 0;
  }
  const host = { ...outer, io: await repeatingConfig(argv, await fittedTalk(outer.io)) };
  try {
    if (isCompletion(argv)) {
      const { printCandidates } = await import('./cli/completion/candidates.ts');
      await printCandidates(argv, host);
      return 0;
    }
    const { runCommandLine } = await import('./cli/kit/program.ts');
    return await runCommandLine(argv, host);
  } catch (error) {
    return await report(error, host, argv.includes('--verbose'));
  }
}

/** What hookctl says on a terminal is no wider than that, and lines end between words. */
async function fittedTalk(io: Io): Promise<Io> {
  if (!io.err.isTerminal) return io;
  const { fitted } = await import('./cli/kit/wrapped.ts');
  return { ...io, err: through(io.err, fitted) };
}

/** With `--config`, what is printed to be pasted has it as well. */
async function repeatingConfig(argv: readonly string[], io: Io): Promise<Io> {
  if (!argv.some((word) => word.startsWith('--config'))) return io;
  const { configRepeater } = await import('./cli/kit/program.ts');
  const repeatConfig = configRepeater(argv);
  return repeatConfig === null ? io : { ...io, err: through(io.err, repeatConfig), repeatConfig };
}

/** What scripts ask most often is answered before anything that parses command lines is read. */
function asksVersion(argv: readonly string[]): boolean {
  return argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V');
}

/** Asked at each press of the key: no command line is parsed for it. At most `--config` comes before. */
function isCompletion(argv: readonly string[]): boolean {
  return (
    argv.slice(0, 3).includes('__complete') &&
    (argv[0] === '__complete' || argv[0]?.startsWith('--config') === true)
  );
}

async function report(error: unknown, { io }: Host, verbose: boolean): Promise<ExitCode> {
  const parsed = parserExit(error);
  if (parsed !== null) return parsed;
  say(io.err, `${paint(io.err, 'red', 'error:')} ${escapeInvisible(messageOf(error))}`);
  if (error instanceof HookctlError && error.fix !== null) say(io.err, escapeInvisible(error.fix));
  if (verbose && error instanceof Error) say(io.err, escapeInvisible(error.stack ?? ''));
  else if (!(error instanceof HookctlError)) say(io.err, 'Run it again with --verbose to see where.');
  return error instanceof HookctlError ? error.exitCode : 1;
}

/** How commander, which has said it all, wants to end; null for any other error. */
function parserExit(error: unknown): ExitCode | null {
  const isParsers = error instanceof Error && 'code' in error && `${error.code}`.startsWith('commander.');
  if (!isParsers) return null;
  return 'exitCode' in error && error.exitCode === 0 ? 0 : 2;
}
