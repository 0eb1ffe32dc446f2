import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { failure } from '../../errors.ts';
import { escapeInvisibleLine } from '../text/escape-invisible.ts';
import { pause } from '../time.ts';

const CLOSED_ON_EXEC = 0o2000000;

/**
 * Descriptors above 2 that this process inherited and that its children would inherit, too: files or sockets of its
 * parent. Node opens its own with close-on-exec. macOS closes them all when it starts a program, so there are none.
 */
async function inheritedDescriptors(): Promise<readonly number[]> {
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

/** Lines that are kept for the message when a program dies. */
const KEPT_LINES = 20;
const KEPT_CHARACTERS = 2_000;
/** A program that prints without line ends must not fill the memory: of a longer line its end is kept, in characters. */
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

interface ProcessOptions {
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
  /** Called with the size of each chunk of stdout and stderr, for callers that bound it. */
  readonly onOutput?: (bytes: number) => void;
  /** Each line of stdout and stderr as it comes, without terminal escapes. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Characters of a line that are kept; default 65,536. */
  readonly longestLine?: number;
  /** Between SIGTERM and SIGKILL, in milliseconds; default 5000. */
  readonly graceMs?: number;
  /** Asks the program to end in place of SIGTERM to its group; false when it could not be asked. */
  readonly terminate?: () => boolean;
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
 * Starts a program in its own process group, so that Ctrl-C reaches only hookctl, which then stops it in order.
 * Throws `program_missing` when there is no such program.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { program, args, env, cwd, input, onLine, onOutput, graceMs = 5000, terminate } = options;
  const { longestLine = LONGEST_LINE } = options;
  const inherited = await inheritedDescriptors();
  const child = without(inherited, (more) => {
    const stdio: StdioOptions = [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...more];
    return spawn(program, args, { env, cwd, detached: true, stdio });
  });
  const kept: string[] = [];
  const keep = (line: string, name: 'stdout' | 'stderr') => {
    kept.push(escapeInvisibleLine(line.slice(-KEPT_CHARACTERS)));
    if (kept.length > KEPT_LINES) kept.shift();
    onLine?.(line, name);
  };
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = child[name];
    if (stream === null) continue;
    if (onOutput !== undefined) stream.on('data', (chunk: string) => onOutput(Buffer.byteLength(chunk)));
    readLines(stream, longestLine, (line) => keep(line, name));
  }
  const ended = endOf(child);
  await spawned(child, options);
  // A program that reads none of it ends the pipe: that is its affair.
  child.stdin?.on('error', () => undefined).end(input);
  const pid = child.pid ?? 0;
  let stopped: Promise<ProcessEnd> | null = null;
  const stop = () => {
    stopped ??= stopGroup({ pid, ended, graceMs, terminate });
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

/**
 * Starts something for which these descriptors lead to nothing. Nothing is waited for in here: who was started tells of it
 * at once, and has to be listened to by then.
 */
function without<T>(inherited: readonly number[], start: (stdio: readonly ('ignore' | number)[]) => T): T {
  if (inherited.length === 0) return start([]);
  const nothing = openSync(devNull, 'r');
  try {
    const places = Array.from({ length: Math.max(...inherited) - 2 }, (_, index) => index + 3);
    return start(places.map((place) => (inherited.includes(place) ? nothing : 'ignore')));
  } finally {
    closeSync(nothing);
  }
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

interface Stopping extends Required<Pick<ProcessOptions, 'graceMs'>> {
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  readonly terminate: ProcessOptions['terminate'];
}

async function stopGroup({ pid, ended, graceMs, terminate }: Stopping): Promise<ProcessEnd> {
  const over = new AbortController();
  void ended.then(() => over.abort());
  if (terminate?.() !== true) signalGroup(pid, 'SIGTERM');
  await pause(graceMs, over.signal);
  // Also when the program itself went in time: what it started may still be there.
  signalGroup(pid, 'SIGKILL');
  return ended;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is empty.
  }
}

function readLines(stream: Readable, longest: number, onLine: (line: string) => void): void {
  // In parts: to join and search a long line anew with each chunk would take time by the square of its length.
  let parts: string[] = [];
  let length = 0;
  const add = (part: string) => {
    parts.push(part);
    length += part.length;
    if (length > 2 * longest) [parts, length] = [[parts.join('').slice(-longest)], longest];
  };
  const end = () => {
    const line = parts.join('').slice(-longest).replace(/\r$/, '');
    [parts, length] = [[], 0];
    onLine(stripVTControlCharacters(line));
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = chunk.split('\n');
    for (const [index, line] of lines.entries()) {
      if (index > 0) end();
      add(line);
    }
  });
  stream.on('end', () => {
    if (length > 0) end();
  });
}
