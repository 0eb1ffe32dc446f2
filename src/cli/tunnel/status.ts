import { failure } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { TunnelView } from '../../server/status.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { serverClient } from '../kit/operate.ts';
import { localTime, printJson, sayFacts } from '../kit/print.ts';

interface StatusFlags extends JsonFlags {
  readonly printUrl?: boolean;
}

export const configureStatus: CliCommand = (command, runner) => {
  command
    .description('Show the state of the running server’s tunnel.')
    .option('--print-url', 'print only the public URL; exit 1 while there is none')
    .option('--json', 'print one object; null while there is no tunnel')
    .examples('hookctl tunnel status', 'URL=$(hookctl tunnel status --print-url)')
    .action(runner.action(command, status));
};

async function status(app: Services, flags: StatusFlags): Promise<0> {
  const { io, located } = app;
  const client = await serverClient(app);
  const tunnel = (await client?.status())?.tunnel ?? null;
  if (tunnel === null && flags.json === true) printJson(io, null);
  if (client === null) {
    throw failure('not_running', `no server works on ${located.dataFolder}`, {
      fix: 'Start it: hookctl serve',
    });
  }
  if (tunnel === null) {
    throw failure('no_tunnel', 'the server has no tunnel', {
      fix: 'Start it with one: hookctl serve --tunnel cloudflared',
    });
  }
  if (flags.json === true) {
    printJson(io, tunnel);
    return 0;
  }
  if (flags.printUrl === true) {
    if (tunnel.url === null || tunnel.phase !== 'up') {
      const facts = tunnel.fix === null ? {} : { fix: tunnel.fix };
      throw failure('tunnel_down', `the tunnel is ${tunnel.phase}: ${tunnel.reason}`, facts);
    }
    say(io.out, tunnel.url);
    return 0;
  }
  print(app, tunnel);
  return 0;
}

function print({ io }: Services, tunnel: TunnelView): void {
  sayFacts(io.out, [
    ['tunnel', tunnel.driver],
    ['state', `${tunnel.phase} since ${localTime(tunnel.since)}: ${tunnel.reason}`],
    ['fix', tunnel.fix],
    ['url', tunnel.url],
    ['leads to', tunnel.leads_to],
    ['same url next time', yesNo(tunnel.stable)],
    ['bytes as sent', yesNo(tunnel.byte_exact)],
    ['expires', tunnel.expires_at === null ? null : localTime(tunnel.expires_at)],
    ['last probe', localTime(tunnel.proven_at)],
    ['restarts', String(tunnel.restarts)],
  ]);
}

function yesNo(value: boolean | null): string | null {
  return value === null ? null : value ? 'yes' : 'no';
}
