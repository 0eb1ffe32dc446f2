import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { failure } from '../errors.ts';
import { pause } from './backoff.ts';
import { visibleLine } from './visible.ts';

/** Lines that are kept for the message when a program dies. */
const KEPT_LINES = 20;
/** A program that prints without line ends must not fill the memory. */
const LONGEST_LINE = 64 * 1024;

/** How long the output of a program that has ended is read on. */
const LAST_OUTPUT_MS = 1000;

/** What a foreign program may know of hookctl's environment: enough to run, none of the webhooks' secrets. */
const PASSED_ON = new Set(
  `PATH HOME USER LOGNAME SHELL LANG LC_ALL LC_CTYPE TZ TMPDIR XDG_CONFIG_HOME XDG_RUNTIME_DIR SSH_AUTH_SOCK
  HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR`.split(
    /\s+/,
  ),
);

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ProcessOptions {
  /** Looked up on the PATH of `env`. */
  readonly program: string;
  /** Handed over as they are: there is no shell. */
  readonly args: readonly string[];
  /** The whole environment of the program; see `programEnvironment`. */
  readonly env: Environment;
  readonly cwd?: string;
  /** How a user gets the program, one sentence; printed when it is missing. */
  readonly howToGet: string;
  /** Written to stdin, which is closed then; left out: there is none. */
  readonly input?: Uint8Array;
  /** Bytes of stdout and stderr as they come, for whoever bounds them. */
  readonly onOutput?: (bytes: number) => void;
  /** Each line of stdout and stderr as it comes, without terminal escapes. */
  readonly onLine?: (line: string) => void;
  /** Between SIGTERM and SIGKILL, in milliseconds; default 5000. */
  readonly graceMs?: number;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly pid: number;
  /** Resolves when the program has ended and its output is read to the end. */
  readonly ended: Promise<ProcessEnd>;
  /** The last lines it printed, oldest first, safe to show. */
  lastLines(): readonly string[];
  /** SIGTERM, then SIGKILL, to the program and all it started; resolves when it is gone. */
  stop(): Promise<ProcessEnd>;
}

/** The part of an environment that foreign programs get. Name further variables to pass them on. */
export function programEnvironment(env: Environment, ...further: readonly string[]): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => PASSED_ON.has(name) || further.includes(name)),
  );
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C reaches only hookctl, which then stops it in order.
 * Throws `program_missing` when there is no such program.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { program, args, env, cwd, input, onLine, onOutput, graceMs = 5000 } = options;
  const stdin = input === undefined ? 'ignore' : 'pipe';
  const child = spawn(program, args, { env, cwd, detached: true, stdio: [stdin, 'pipe', 'pipe'] });
  const kept: string[] = [];
  const keep = (line: string) => {
    kept.push(visibleLine(line));
    if (kept.length > KEPT_LINES) kept.shift();
    onLine?.(line);
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    if (onOutput !== undefined) stream.on('data', (chunk: string) => onOutput(Buffer.byteLength(chunk)));
    readLines(stream, keep);
  }
  const ended = endOf(child);
  await spawned(child, options);
  // A program that reads none of it ends the pipe: that is its affair.
  child.stdin?.on('error', () => undefined).end(input);
  const pid = child.pid ?? 0;
  let stopped: Promise<ProcessEnd> | null = null;
  const stop = () => {
    stopped ??= stopGroup(pid, ended, graceMs);
    return stopped;
  };
  return { pid, ended, lastLines: () => [...kept], stop };
}

/** `ssh ended with status 255: Connection refused`, with the last lines it printed (at most `lines`). */
export function describeEnd(
  program: string,
  end: ProcessEnd,
  lastLines: readonly string[],
  lines = 3,
): string {
  const how = end.signal === null ? `ended with status ${end.code}` : `was ended by ${end.signal}`;
  const last = lastLines.filter((line) => line !== '').slice(-lines);
  return last.length === 0
    ? `${program} ${how} and printed nothing`
    : `${program} ${how}: ${last.join(' | ')}`;
}

async function spawned(child: ChildProcess, { program, howToGet }: ProcessOptions): Promise<void> {
  try {
    await once(child, 'spawn');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = missing ? `${program} is not installed` : `${program} could not be started: ${error}`;
    throw failure('program_missing', message, { fix: howToGet, cause: error });
  }
}

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('exit', () => {
      // Something that the program left behind may hold the other end of the pipes for ever.
      const letGo = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, LAST_OUTPUT_MS);
      child.once('close', (code, signal) => {
        clearTimeout(letGo);
        resolve({ code, signal });
      });
    });
  });
}

async function stopGroup(pid: number, ended: Promise<ProcessEnd>, graceMs: number): Promise<ProcessEnd> {
  const over = new AbortController();
  void ended.then(() => over.abort());
  signalGroup(pid, 'SIGTERM');
  await pause(graceMs, over.signal);
  // Also when the program itself went in time: what it started may still be there.
  signalGroup(pid, 'SIGKILL');
  return ended;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
    for (const line of lines) onLine(stripVTControlCharacters(line));
  });
  stream.on('end', () => {
    if (rest !== '') onLine(stripVTControlCharacters(rest));
  });
}
