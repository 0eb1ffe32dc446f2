import { setImmediate as nextTurn } from 'node:timers/promises';
import { perTurn, through } from '../../lib/io.ts';
import { loadWidths } from '../../lib/text/wrap.ts';
import type { ServeOptions } from '../../server/address.ts';
import { type Serving, serve } from '../../server/serve.ts';
import type { Services } from '../../services.ts';
import { parseTunnelFlag } from '../../tunnels/settings.ts';
import type { TunnelStatus } from '../../tunnels/supervisor.ts';
import { type CliCommand, examples, type JsonFlags } from '../kit/command.ts';
import { collect, port } from '../kit/options.ts';
import { duration } from '../kit/print.ts';
import { folded, quiet, type ServeOutput } from './filters.ts';
import { jsonOutput, leftOutAsJson } from './json.ts';
import { logged } from './log.ts';
import { humanOutput } from './terminal.ts';

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
    .addHelpText(
      'after',
      examples(
        'hookctl serve',
        'hookctl serve --tunnel cloudflared',
        'hookctl serve --port 9000 --json | jq .type',
      ),
    )
    .action((flags: ServeFlags) =>
      runner.run(command.optsWithGlobals<ServeFlags>(), (app) => run(app, flags)),
    );
};

/** Why serving ends. */
type End = { readonly signal: NodeJS.Signals } | { readonly lost: string };

async function run(app: Services, flags: ServeFlags): Promise<0 | 1> {
  const lost = Promise.withResolvers<End>();
  const output = await outputFor(app, flags, (reason) => lost.resolve({ lost: reason }));
  const signalled = app.signals.next().then((signal): End => ({ signal }));
  const serving = await serve(app, options(flags), output);
  output.ready(serving);

  const first = await Promise.race([signalled, lost.promise]);
  const end = isCtrlC(first, app) ? await waitForAgents(app, serving, output, first) : first;
  const signal = 'signal' in end ? end.signal : 'SIGTERM';
  const why = 'signal' in end ? end.signal : end.lost;
  const cut = serving.running();
  const runs = cut.length === 0 ? '' : `, and ends ${inWords(cut, app.clock.now())}`;
  output.state('stopping', `${why}: hookctl finishes what it is at${runs}; a second signal ends it at once`);
  void app.signals.next().then(app.signals.die);
  // What does not end in time is cut off with the process: it is stored, and taken up at the next start.
  setTimeout(() => app.signals.die(signal), DEADLINE_MS).unref();
  await app.close();
  output.state('stopped', 'everything that was accepted is stored');
  // The last lines are written at the end of this turn.
  await nextTurn();
  await Promise.all([app.io.out, app.io.err].map((stream) => stream.flushed?.(LAST_LINES_MS)));
  return 'lost' in end ? 1 : 0;
}

function isCtrlC(end: End, { io, stdin }: Services): end is { readonly signal: 'SIGINT' } {
  const onTerminal = io.err.isTerminal || io.out.isTerminal || stdin.isTTY === true;
  return 'signal' in end && end.signal === 'SIGINT' && onTerminal;
}

/** Whoever presses Ctrl-C once wants hookctl to end, not to lose an agent's work of minutes. */
async function waitForAgents(app: Services, serving: Serving, output: ServeOutput, first: End): Promise<End> {
  const runs = serving.running();
  if (runs.length === 0) return first;
  const now = app.clock.now();
  const longest = Math.max(...runs.map(({ since, timeout }) => since + timeout - now));
  output.state(
    'stopping',
    `Ctrl-C: hookctl waits for ${inWords(runs, now)}, at most ${duration(Math.max(0, longest))}, and starts no other; Ctrl-C again ends them`,
  );
  const again = app.signals.next().then((signal): End => ({ signal }));
  return Promise.race([serving.drain().then(() => first), again]);
}

/** `2 runs (planning for 3 min, brain for 12.0 s)`. */
function inWords(runs: ReturnType<Serving['running']>, now: number): string {
  const each = runs.map(({ agent, since }) => `${agent} for ${duration(now - since)}`);
  return `${runs.length} ${runs.length === 1 ? 'run' : 'runs'} (${each.join(', ')})`;
}

async function outputFor(
  app: Services,
  flags: ServeFlags,
  onLoss: (reason: string) => void,
): Promise<ServeOutput> {
  const { redact } = app.redactor;
  const { out, err } = app.io;
  const leftOut = (lines: number) => `… ${lines} lines left out\n`;
  err.neverWait?.(leftOut);
  out.neverWait?.(flags.json === true ? leftOutAsJson : leftOut);
  if (flags.json !== true) await loadWidths();
  const shown =
    flags.json === true
      ? jsonOutput(perTurn(through(out, redact)))
      : humanOutput({ ...app.io, err: perTurn(err) });
  const told = flags.quiet === true ? quiet(shown) : shown;
  const output = folded(flags.logFile === undefined ? told : await logged(told, flags.logFile, redact));
  if (flags.exitOnTunnelLoss !== true) return output;
  return { ...output, tunnel: onTunnelLoss(output, onLoss) };
}

/** A tunnel that never opened is not lost yet, unless it says that it never will. */
function onTunnelLoss(output: ServeOutput, onLoss: (reason: string) => void): ServeOutput['tunnel'] {
  return (status: TunnelStatus) => {
    output.tunnel(status);
    if (status.phase === 'down' && (status.final || status.tunnel !== null)) onLoss(status.reason);
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
