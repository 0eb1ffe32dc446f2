import { setImmediate as nextTurn } from 'node:timers/promises';
import { perTurn, through } from '../../lib/io.ts';
import { loadWidths } from '../../lib/text/wrap.ts';
import type { ServeOptions } from '../../server/address.ts';
import type { ServeListener } from '../../server/events.ts';
import { type Serving, serve } from '../../server/serve.ts';
import type { Services } from '../../services.ts';
import { parseTunnelFlag } from '../../tunnels/settings.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { collect, port } from '../kit/options.ts';
import { duration } from '../kit/print.ts';
import { folded, jsonListener, leftOutAsJson, quiet, terminalListener, withLogFile } from './listeners.ts';

interface ServeFlags extends JsonFlags {
  readonly host?: string;
  readonly port?: number;
  readonly managementPort?: number;
  readonly publicUrl?: string;
  readonly tunnel?: string;
  readonly exitOnTunnelLoss?: boolean;
  readonly insecureNoVerify: readonly string[];
  readonly logFile?: string;
  readonly quiet?: boolean;
}

/** For a reader who is a moment behind, in milliseconds. */
const LAST_LINES_MS = 1_000;

/** Time for everything to end after a signal: a supervisor sends SIGKILL after ten seconds. */
const DEADLINE_MS = 9_500;

export const configureServe: CliCommand = (command, runner) => {
  command
    .option('--host <address>', 'address of the ingress (management stays on 127.0.0.1)')
    .option('--port <n>', 'port of the ingress, default 8000', port)
    .option('--management-port <n>', 'port of the management API, default 8001', port)
    .option('--public-url <url>', 'public URL that leads to the ingress, if you bring your own tunnel')
    .option('--tunnel <tunnel>', 'cloudflared, ssh, ssh=pinggy, smee=<channel url>, ngrok, …')
    .option('--exit-on-tunnel-loss', 'end with status 1 when the tunnel is lost')
    .option('--insecure-no-verify <webhook>', 'accept this webhook unverified (repeatable)', collect, [])
    .option('--log-file <file>', 'also write everything, with stack traces, as JSON lines to a file')
    .option('-q, --quiet', 'tell only what needs somebody: refusals, failures, approvals, changes')
    .option('--json', 'print events as NDJSON on stdout: ready, delivery, task, run, state')
    .examples(
      'hookctl serve',
      'hookctl serve --tunnel cloudflared',
      'hookctl serve --port 9000 --json | jq .type',
    )
    .action((flags: ServeFlags) =>
      runner.run(command.optsWithGlobals<ServeFlags>(), (services) => run(services, flags)),
    );
};

/** Why serving ends. */
type End = { readonly signal: NodeJS.Signals } | { readonly lost: string };

async function run(services: Services, flags: ServeFlags): Promise<0 | 1> {
  const lost = Promise.withResolvers<End>();
  const listen = await listenerFor(services, flags, (reason) => lost.resolve({ lost: reason }));
  const signalled = services.signals.next().then((signal): End => ({ signal }));
  const serving = await serve(services, options(flags), listen);

  const first = await Promise.race([signalled, lost.promise]);
  const end = isCtrlC(first, services) ? await waitForAgents(services, serving, listen, first) : first;
  const signal = 'signal' in end ? end.signal : 'SIGTERM';
  const why = 'signal' in end ? end.signal : end.lost;
  const cut = serving.running();
  const runs = cut.length === 0 ? '' : `, and ends ${inWords(cut, services.clock.now())}`;
  const reason = `${why}: hookctl finishes what it is at${runs}; a second signal ends it at once`;
  listen({ type: 'state', state: 'stopping', reason });
  void services.signals.next().then(services.signals.die);
  // What does not end in time is cut off with the process: it is stored, and taken up at the next start.
  setTimeout(() => services.signals.die(signal), DEADLINE_MS).unref();
  await services.close();
  listen({ type: 'state', state: 'stopped', reason: 'everything that was accepted is stored' });
  // The last lines are written at the end of this turn.
  await nextTurn();
  await Promise.all([services.io.out, services.io.err].map((stream) => stream.flushed?.(LAST_LINES_MS)));
  return 'lost' in end ? 1 : 0;
}

function isCtrlC(end: End, { io, stdin }: Services): end is { readonly signal: 'SIGINT' } {
  const onTerminal = io.err.isTerminal || io.out.isTerminal || stdin().isTTY === true;
  return 'signal' in end && end.signal === 'SIGINT' && onTerminal;
}

/** Ctrl-C once ends hookctl without the loss of an agent's work of minutes; twice ends the agents, too. */
async function waitForAgents(
  services: Services,
  serving: Serving,
  listen: ServeListener,
  first: End,
): Promise<End> {
  const runs = serving.running();
  if (runs.length === 0) return first;
  const now = services.clock.now();
  const longest = Math.max(...runs.map(({ since, timeout }) => since + timeout - now));
  const reason = `Ctrl-C: hookctl waits for ${inWords(runs, now)}, at most ${duration(Math.max(0, longest))}, and starts no other; Ctrl-C again ends them`;
  listen({ type: 'state', state: 'stopping', reason });
  const again = services.signals.next().then((signal): End => ({ signal }));
  return Promise.race([serving.drain().then(() => first), again]);
}

/** `2 runs (planning for 3 min, brain for 12.0 s)`. */
function inWords(runs: ReturnType<Serving['running']>, now: number): string {
  const each = runs.map(({ agent, since }) => `${agent} for ${duration(now - since)}`);
  return `${runs.length} ${runs.length === 1 ? 'run' : 'runs'} (${each.join(', ')})`;
}

async function listenerFor(
  { io, redactor: { redact } }: Services,
  flags: ServeFlags,
  onLoss: (reason: string) => void,
): Promise<ServeListener> {
  const { out, err } = io;
  const leftOut = (lines: number) => `… ${lines} lines left out\n`;
  err.neverWait?.(leftOut);
  out.neverWait?.(flags.json === true ? leftOutAsJson : leftOut);
  if (flags.json !== true) await loadWidths();
  const all =
    flags.json === true
      ? jsonListener(perTurn(through(out, redact)))
      : terminalListener({ ...io, err: perTurn(err) });
  const wanted = flags.quiet === true ? quiet(all) : all;
  const listen = folded(
    flags.logFile === undefined ? wanted : await withLogFile(wanted, flags.logFile, redact),
  );
  if (flags.exitOnTunnelLoss !== true) return listen;
  return (event) => {
    listen(event);
    // A tunnel that never opened is not lost yet, unless it says that it never will.
    if (event.type !== 'tunnel' || event.status.phase !== 'down') return;
    const { final, tunnel, reason } = event.status;
    if (final || tunnel !== null) onLoss(reason);
  };
}

function options(flags: ServeFlags): ServeOptions {
  const { host, port: ingressPort, managementPort, publicUrl, tunnel } = flags;
  return {
    insecure: flags.insecureNoVerify,
    ...(host !== undefined && { host }),
    ...(ingressPort !== undefined && { port: ingressPort }),
    ...(managementPort !== undefined && { managementPort }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(tunnel !== undefined && { tunnel: parseTunnelFlag(tunnel) }),
  };
}
