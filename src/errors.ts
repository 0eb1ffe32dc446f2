/**
 * The few errors that other code catches. Everything else that is thrown is a defect or a broken machine, and
 * ends as exit status 1 with its message.
 */

/** What a process says when it ends: 0 ok, 1 failure, 2 usage, 3 configuration, 4 not found. */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

/** Facts about an expected failure that its message does not carry. */
export interface FailureFacts {
  /** What to type or change next, one sentence. Printed under the message. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/**
 * A failure that hookctl foresaw: the message says what happened and why, `fix` what to do next. `code` is
 * stable and safe to test against in scripts and API clients.
 */
export class HookctlError extends Error {
  override readonly name: string = 'HookctlError';
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly fix: string | null;

  constructor(code: string, exitCode: ExitCode, message: string, facts: FailureFacts = {}) {
    super(message, { cause: facts.cause });
    this.code = code;
    this.exitCode = exitCode;
    this.fix = facts.fix ?? null;
  }
}

/** One mistake in something that a user wrote. */
export interface Diagnostic {
  /** Absolute path of the file, or the name of the place (`webhook add`) when there is no file. */
  readonly file: string;
  /** 1-based; absent where the position is not known. */
  readonly line?: number;
  readonly column?: number;
  /** Dotted path of the field, e.g. `webhooks.github.secretEnv`; absent for the file as a whole. */
  readonly field?: string;
  /** What is wrong, and what was expected. */
  readonly message: string;
  /** What to write instead. */
  readonly fix?: string;
}

/** Configuration that does not validate: every problem at once, so that one run shows them all. */
export class ConfigError extends HookctlError {
  override readonly name = 'ConfigError';
  readonly problems: readonly Diagnostic[];

  constructor(problems: readonly Diagnostic[]) {
    super('config_invalid', 3, problems.map(formatDiagnostic).join('\n'));
    this.problems = problems;
  }
}

/** `webhooks.yml:12:5 webhooks.github.commnads: unknown field` and, indented, the fix. */
export function formatDiagnostic(problem: Diagnostic): string {
  const position = [problem.file, problem.line, problem.column]
    .filter((part) => part !== undefined)
    .join(':');
  const field = problem.field === undefined ? '' : ` ${problem.field}:`;
  const fix = problem.fix === undefined ? '' : `\n  ${problem.fix}`;
  return `${position}${field} ${problem.message}${fix}`;
}

/** A command was typed wrongly (exit 2). */
export function usageError(message: string, fix?: string): HookctlError {
  return new HookctlError('usage', 2, message, fix === undefined ? {} : { fix });
}

/** Something that was named does not exist (exit 4, HTTP 404). */
export function notFound(message: string, fix?: string): HookctlError {
  return new HookctlError('not_found', 4, message, fix === undefined ? {} : { fix });
}

/** Something could not be done (exit 1). `code` names the reason. */
export function failure(code: string, message: string, facts: FailureFacts = {}): HookctlError {
  return new HookctlError(code, 1, message, facts);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
