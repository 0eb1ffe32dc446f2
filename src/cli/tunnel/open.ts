import { failure, type HookctlError, usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { openTunnel } from '../../server/tunnel.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import { createSmeeChannel } from '../../tunnels/drivers/smee/channel.ts';
import { send } from '../../tunnels/http.ts';
import { newRelayKey } from '../../tunnels/relay.ts';
import { parseTunnelFlag } from '../../tunnels/settings.ts';
import type { TunnelStatus } from '../../tunnels/supervisor.ts';
import type { CliCommand } from '../kit/command.ts';
import { port } from '../kit/options.ts';
import { tunnelLine } from '../kit/print.ts';

interface OpenFlags extends ServiceFlags {
  readonly port?: number;
  readonly printUrl?: boolean;
}

const HEALTH_TIMEOUT_MS = 2_000;

export const configureOpen: CliCommand = (command, runner) => {
  command
    .description('Open a tunnel to a running server, until Ctrl-C.')
    .argument('<tunnel>', 'cloudflared, ssh, ssh=pinggy, smee=<channel url>, ngrok, …')
    .option('--port <n>', 'port of the ingress (default: that of the running server)', port)
    .option('--print-url', 'print the public URL on stdout, and again when it changes')
    .examples('hookctl tunnel open cloudflared --print-url', 'hookctl tunnel open ssh=pinggy --port 8000')
    .action(runner.action(command, open));
};

async function open(app: Services, flag: string, flags: OpenFlags): Promise<0 | 1> {
  const settings = parseTunnelFlag(flag);
  const server = app.holder()?.server ?? null;
  const ingressPort = flags.port ?? server?.ingressPort;
  if (ingressPort === undefined) {
    throw notRunning(`no server works on ${app.located.dataFolder}`);
  }
  await requireIngress(ingressPort);
  const gaveUp = Promise.withResolvers<'lost'>();
  let printed: string | null = null;
  const report = (status: TunnelStatus) => {
    say(app.io.err, tunnelLine(status));
    const url = status.phase === 'up' ? (status.tunnel?.url ?? null) : null;
    if (flags.printUrl === true && url !== null && url !== printed) say(app.io.out, url);
    printed = url ?? printed;
    if (status.final) gaveUp.resolve('lost');
  };
  const ended = app.signals.next();
  const tunnel = openTunnel(app, {
    settings,
    ingressPort,
    relayKey: server?.relayKey ?? newRelayKey(),
    report,
  });
  const end = await Promise.race([ended, gaveUp.promise]);
  await tunnel.close();
  return end === 'lost' ? 1 : 0;
}

/** Refuses a port that is not an ingress, so that a tunnel never exposes the management API or another program. */
async function requireIngress(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/healthz`;
  const answer = await send(url, { timeoutMs: HEALTH_TIMEOUT_MS }).catch(() => null);
  if (answer === null) throw notRunning(`nothing answers on 127.0.0.1:${port}`);
  if (answer.status === 200 && answer.text === '{"status":"ok"}') return;
  throw failure('no_ingress', `port ${port} is not the ingress of a hookctl server`, {
    fix: 'A tunnel leads to the ingress only: leave out --port, or name the port of `hookctl serve --port`.',
  });
}

function notRunning(message: string): HookctlError {
  return failure('not_running', message, { fix: 'Start it: hookctl serve, or name its port with --port.' });
}

export const configureNew: CliCommand = (command, runner) => {
  command
    .description('Create a channel at a relay: smee.io, or your own smee or gosmee server.')
    .argument('<relay>', 'smee')
    .option('--server <url>', 'the relay', 'https://smee.io')
    .examples('hookctl tunnel new smee', 'hookctl tunnel new smee --server https://smee.example.com')
    .action(
      runner.action(command, async ({ io, env }, relay: string, { server }: { server: string }) => {
        if (relay !== 'smee')
          throw usageError(`there are no channels at ${relay}`, 'Use: hookctl tunnel new smee');
        const url = await createSmeeChannel(server, env);
        say(io.out, url);
        say(
          io.err,
          `Anyone who knows it can read and post. Next: ${commandLine('hookctl', 'serve', '--tunnel', `smee=${url}`)}`,
        );
        return 0;
      }),
    );
};
