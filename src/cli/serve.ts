import type { App, AppFlags } from '../app.ts';
import { perTurn, through } from '../lib/io.ts';
import type { ServeOptions } from '../server/place.ts';
import { serve } from '../server/serve.ts';
import { parseTunnelFlag } from '../tunnels/settings.ts';
import type { TunnelStatus } from '../tunnels/supervisor.ts';
import { type CliCommand, examples } from './command.ts';
import { collect, port } from './options.ts';
import { folded } from './serve-fold.ts';
import { humanOutput } from './serve-human.ts';
import { jsonOutput } from './serve-json.ts';
import { logged } from './serve-log.ts';
import type { ServeOutput } from './serve-output.ts';
import { quiet } from './serve-quiet.ts';

interface ServeFlags extends AppFlags {
  readonly host?: string;
  readonly port?: number;
  readonly managementPort?: number;
  readonly publicUrl?: string;
  readonly tunnel?: string;
  readonly exitOnTunnelLoss?: boolean;
  readonly insecureNoVerify: readonly string[];
  readonly logFile?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Time for everything to end after a signal: a supervisor sends SIGKILL after ten seconds. */
const DEADLINE_MS = 9_500;

export const serveCommand: CliCommand = {
  configure(command, runner) {
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
  },
};

/** Why serving ends. */
type End = { readonly signal: NodeJS.Signals } | { readonly lost: string };

async function run(app: App, flags: ServeFlags): Promise<0 | 1> {
  const lost = Promise.withResolvers<End>();
  const output = await outputFor(app, flags, (reason) => lost.resolve({ lost: reason }));
  const signalled = app.signals.next().then((signal): End => ({ signal }));
  output.ready(await serve(app, options(flags), output));

  const end = await Promise.race([signalled, lost.promise]);
  const signal = 'signal' in end ? end.signal : 'SIGTERM';
  const why = 'signal' in end ? end.signal : end.lost;
  output.state('stopping', `${why}: finishing what runs; a second signal ends at once`);
  void app.signals.next().then(app.signals.die);
  // What does not end in time is cut off with the process: it is stored, and taken up at the next start.
  setTimeout(() => app.signals.die(signal), DEADLINE_MS).unref();
  await app.close();
  output.state('stopped', 'everything that was accepted is stored');
  return 'lost' in end ? 1 : 0;
}

async function outputFor(
  app: App,
  flags: ServeFlags,
  onLoss: (reason: string) => void,
): Promise<ServeOutput> {
  const { redact } = app.redactor;
  const { out, err } = app.io;
  const shown =
    flags.json === true ? jsonOutput(perTurn(through(out, redact))) : humanOutput({ out, err: perTurn(err) });
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
