import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { HookctlError } from '../errors.ts';
import {
  describeEnd,
  type Environment,
  type RunningProcess,
  startProcess,
} from '../lib/process/subprocess.ts';
import { pause } from '../lib/time.ts';
import { send } from './http.ts';
import { type OpenContext, type OpenTunnel, type TunnelClock, TunnelFailure, trackState } from './tunnel.ts';

/** Its input ends when hookctl does, however that came about. Then SIGTERM, and SIGKILL for what stays. */
const GUARD = 'read -r _; kill -s TERM -- "-$1"; sleep 5; kill -s KILL -- "-$1"';

/**
 * Ends a process group when this process dies without the chance to do so itself (`kill -9`, out of memory). ssh,
 * cloudflared and ngrok would run on for ever, and lead strangers to whatever listens on the ingress port next.
 * A shell that reads a pipe from us waits for that. Returns how to take the guard away, for when the group is gone.
 */
function endWithUs(processGroup: number): () => Promise<void> {
  const args = ['-c', GUARD, 'hookctl-guard', String(processGroup)];
  // Its own group, or Ctrl-C in the terminal would end the guard before hookctl has stopped the program.
  const guard = spawn('/bin/sh', args, { detached: true, env: {}, stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = new Promise<void>((resolve) => {
    guard.once('close', () => resolve());
    // A machine that can't start a shell still has its tunnel.
    guard.once('error', () => resolve());
  });
  return async () => {
    guard.kill('SIGKILL');
    await ended;
  };
}

const OPEN_TIMEOUT_MS = 60_000;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 5_000;
/** What `ssh -v` says beside the matter. */
const DEBUG_LINE = /^debug\d: /;
const ASK_EVERY_MS = 250;
const ASK_TIMEOUT_MS = 2_000;

/** What a line of a program's output tells. */
export type Finding =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'expires'; readonly inMs: number }
  | { readonly kind: 'failure'; readonly failure: TunnelFailure };

/** A program that keeps up a tunnel for as long as it runs. */
interface TunnelProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly howToGet: string;
  readonly stable: boolean;
  /** What a line of its output says; null when nothing. The first URL opens the tunnel, another one moves it. */
  readonly read: (line: string) => Finding | null;
  /** Asks the program itself for the URL, for those that say it better than they print it. */
  readonly ask?: (signal: AbortSignal) => Promise<string>;
  /** The failure behind the last lines of a program that ended; null when it is unknown. */
  readonly explain: (lastLines: string) => TunnelFailure | null;
}

/** Runs a program until it has a URL. Throws `TunnelFailure` with the last lines of one that ended before. */
export async function openProgram(context: OpenContext, program: TunnelProgram): Promise<OpenTunnel> {
  const { state, enter } = trackState(context);
  const findings = gather(context);
  const child = await start(context, program, (line) => findings.take(program.read(line)));
  const ended = child.ended.then((end) => {
    const lines = child.lastLines().filter((line) => !DEBUG_LINE.test(line));
    return program.explain(lines.join('\n')) ?? new TunnelFailure(describeEnd(program.program, end, lines));
  });
  const gone = child.ended.then(endWithUs(child.pid));
  const stop = async () => {
    await child.stop();
    await gone;
  };
  let url: string;
  try {
    url = await firstUrl(context, program, child, findings.url, ended);
  } catch (error) {
    await stop();
    throw error;
  }
  findings.take({ kind: 'url', url });
  enter('up', `${program.program} runs`);
  void ended.then((failure) => enter('down', failure.message));
  const close = async () => {
    enter('down', 'closed');
    await stop();
  };
  context.signal.addEventListener('abort', () => void close(), { once: true });
  const traits = { stable: program.stable, byteExact: true, canRespond: true, leadsTo: null };
  return { url, ...traits, expiresAt: findings.expiresAt(), state, close };
}

/** Keeps what the lines tell: the first URL for those who wait for it, each later one as news. */
function gather({ clock, report }: OpenContext) {
  const found = Promise.withResolvers<string>();
  let url: string | null = null;
  let expiresAt: number | null = null;
  // A failure may be told before anybody waits.
  found.promise.catch(() => undefined);
  return {
    url: found.promise,
    expiresAt: () => expiresAt,
    take(finding: Finding | null): void {
      if (finding?.kind === 'failure') found.reject(finding.failure);
      if (finding?.kind === 'expires') expiresAt = clock.now() + finding.inMs;
      if (finding?.kind !== 'url') return;
      found.resolve(finding.url);
      if (url !== null && url !== finding.url) report({ kind: 'url', url: finding.url });
      url = finding.url;
    },
  };
}

async function firstUrl(
  { clock, signal: closed }: OpenContext,
  { program, ask }: TunnelProgram,
  child: RunningProcess,
  printed: Promise<string>,
  ended: Promise<TunnelFailure>,
): Promise<string> {
  const over = new AbortController();
  const signal = AbortSignal.any([closed, over.signal]);
  const timeoutMs = clock.scaled(OPEN_TIMEOUT_MS);
  const tooLate = pause(timeoutMs, signal).then((passed) => {
    const lines = child.lastLines().slice(-3).join(' | ') || 'nothing';
    const why = passed ? `gave no URL within ${timeoutMs / 1000} s` : 'was stopped before it gave a URL';
    throw new TunnelFailure(`${program} ${why}; it printed: ${lines}`);
  });
  const tooSoon = ended.then((failure) => Promise.reject(failure));
  try {
    return await Promise.race([printed, tooLate, tooSoon, ...(ask === undefined ? [] : [ask(signal)])]);
  } finally {
    over.abort();
  }
}

async function start(
  { clock }: OpenContext,
  program: TunnelProgram,
  onLine: (line: string) => void,
): Promise<RunningProcess> {
  try {
    return await startProcess({ ...program, onLine, graceMs: clock.scaled(GRACE_MS) });
  } catch (error) {
    if (!(error instanceof HookctlError)) throw error;
    const fix = error.fix ?? program.howToGet;
    throw new TunnelFailure(error.message, { fix, final: true, cause: error });
  }
}

/** Asks a local address until `read` finds something in the answer of status 200, or the signal ends it. */
export async function askUntil<T>(
  url: string,
  { clock, signal }: Pick<OpenContext, 'clock' | 'signal'>,
  read: (text: string) => T | null,
): Promise<T> {
  do {
    const answer = await send(url, { timeoutMs: ASK_TIMEOUT_MS, signal }).catch(() => null);
    const found = answer?.status === 200 ? read(answer.text) : null;
    if (found !== null) return found;
  } while (await pause(clock.scaled(ASK_EVERY_MS), signal));
  // The caller ended the asking and ignores the answer.
  return new Promise(() => undefined);
}

/**
 * A free TCP port of this machine. Below the range from which systems give out ports by themselves,
 * or another program might get it before ours has it.
 */
export async function freePort({ random }: TunnelClock): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(random() * 12_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
