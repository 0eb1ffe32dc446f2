import { createServer } from 'node:net';
import { HookctlError } from '../errors.ts';
import { pause } from '../lib/backoff.ts';
import { describeEnd, type Environment, type RunningProcess, startProcess } from '../lib/subprocess.ts';
import { send } from './http.ts';
import { type OpenContext, type OpenTunnel, TunnelFailure, trackState } from './tunnel.ts';

const OPEN_TIMEOUT_MS = 60_000;
const ASK_EVERY_MS = 250;
const ASK_TIMEOUT_MS = 2_000;

/** What a line of a program's output tells. */
export type Finding =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'expires'; readonly inMs: number }
  | { readonly kind: 'failure'; readonly failure: TunnelFailure };

/** A program that keeps up a tunnel for as long as it runs. */
export interface TunnelProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly howToGet: string;
  readonly stable: boolean;
  /** What a line of its output tells; null: nothing. The first URL opens the tunnel, another one moves it. */
  readonly read: (line: string) => Finding | null;
  /** Asks the program itself for the URL, for those that say it better than they print it. */
  readonly ask?: (signal: AbortSignal) => Promise<string>;
  /** The failure behind the last lines of a program that ended; null: nothing that we know. */
  readonly explain: (lastLines: string) => TunnelFailure | null;
}

/** Runs a program until it has a URL. Throws `TunnelFailure` with the last lines of one that ended before. */
export async function openProgram(context: OpenContext, program: TunnelProgram): Promise<OpenTunnel> {
  const { state, enter } = trackState(context);
  const found = Promise.withResolvers<string>();
  let url: string | null = null;
  let expiresAt: number | null = null;

  function take(finding: Finding | null): void {
    switch (finding?.kind) {
      case 'failure':
        found.reject(finding.failure);
        return;
      case 'expires':
        expiresAt = context.clock.now() + finding.inMs;
        return;
      case 'url':
        found.resolve(finding.url);
        if (url !== null && url !== finding.url) context.report({ kind: 'url', url: finding.url });
        url = finding.url;
    }
  }

  // A failure may be found before anybody waits for the URL.
  found.promise.catch(() => undefined);
  const child = await start(program, (line) => take(program.read(line)));
  const ended = child.ended.then((end) => {
    const lines = child.lastLines();
    const known = program.explain(lines.join('\n'));
    return known ?? new TunnelFailure(describeEnd(program.program, end, lines));
  });
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  try {
    const first = await Promise.race([
      found.promise,
      ended.then((failure) => Promise.reject(failure)),
      tooLong(context, program, child, signal),
      ...(program.ask === undefined ? [] : [program.ask(signal)]),
    ]);
    take({ kind: 'url', url: first });
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    over.abort();
  }
  enter('up', `${program.program} runs`);
  void ended.then((failure) => enter('down', failure.message));
  const close = async () => {
    enter('down', 'closed');
    await child.stop();
  };
  context.signal.addEventListener('abort', () => void close(), { once: true });
  const traits = { stable: program.stable, byteExact: true, canRespond: true, leadsTo: null };
  return { url: url ?? '', ...traits, expiresAt, state, close };
}

async function start(program: TunnelProgram, onLine: (line: string) => void): Promise<RunningProcess> {
  try {
    return await startProcess({ ...program, onLine });
  } catch (error) {
    if (!(error instanceof HookctlError)) throw error;
    const fix = error.fix ?? program.howToGet;
    throw new TunnelFailure(error.message, { fix, final: true, cause: error });
  }
}

async function tooLong(
  { clock, signal: closed }: OpenContext,
  { program }: TunnelProgram,
  child: RunningProcess,
  signal: AbortSignal,
): Promise<never> {
  const timeoutMs = clock.scaled(OPEN_TIMEOUT_MS);
  const passed = await pause(timeoutMs, signal);
  if (!passed && !closed.aborted) return new Promise(() => undefined);
  const lines = child.lastLines().slice(-3).join(' | ') || 'nothing';
  const why = passed ? `gave no URL within ${timeoutMs / 1000} s` : 'was stopped before it gave a URL';
  throw new TunnelFailure(`${program} ${why}; it printed: ${lines}`);
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
  // Whoever ended the asking has lost interest in the answer.
  return new Promise(() => undefined);
}

/** A TCP port of this machine on which nobody listens at the moment. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
