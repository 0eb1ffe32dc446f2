import type { App, AppFlags } from '../app.ts';
import { messageOf } from '../errors.ts';
import { type ServeOptions, serve } from '../server/serve.ts';
import { type CliCommand, examples } from './command.ts';
import { collect, port } from './options.ts';
import { humanOutput } from './serve-human.ts';
import { jsonOutput } from './serve-json.ts';

interface ServeFlags extends AppFlags {
  readonly host?: string;
  readonly port?: number;
  readonly managementPort?: number;
  readonly publicUrl?: string;
  readonly insecureNoVerify: readonly string[];
  readonly json?: boolean;
}

/** Time for running requests and deliveries to end after a signal; together with closing, under ten seconds. */
const GRACE_MS = 8_000;

export const serveCommand: CliCommand = {
  configure(command, runner) {
    command
      .option('--host <address>', 'address of the ingress (management stays on 127.0.0.1)')
      .option('--port <n>', 'port of the ingress, default 8000', port)
      .option('--management-port <n>', 'port of the management API, default 8001', port)
      .option('--public-url <url>', 'public URL that leads to the ingress, if you bring your own tunnel')
      .option('--insecure-no-verify <webhook>', 'accept this webhook unverified (repeatable)', collect, [])
      .option('--json', 'print events as NDJSON on stdout: ready, delivery, task, state')
      .addHelpText('after', examples('hookctl serve', 'hookctl serve --port 9000 --json | jq .type'))
      .action((flags: ServeFlags) =>
        runner.run(command.optsWithGlobals<ServeFlags>(), (app) => run(app, flags)),
      );
  },
};

async function run(app: App, flags: ServeFlags): Promise<0> {
  const output = flags.json === true ? jsonOutput(app.io) : humanOutput(app.io);
  const ended = app.signals.next();
  const serving = await serve(app, options(flags), output);
  output.ready(serving);
  const signal = await ended;
  output.state('stopping', `${signal}: finishing what runs; a second signal ends at once`);
  void app.signals.next().then((second) => app.signals.die(second));
  await serving.close(GRACE_MS).catch((error: unknown) => output.state('stopping', messageOf(error)));
  await app.close();
  output.state('stopped', 'everything that was accepted is stored');
  return 0;
}

function options({
  insecureNoVerify,
  host,
  port: ingressPort,
  managementPort,
  publicUrl,
}: ServeFlags): ServeOptions {
  return {
    insecure: insecureNoVerify,
    ...(host !== undefined && { host }),
    ...(ingressPort !== undefined && { port: ingressPort }),
    ...(managementPort !== undefined && { managementPort }),
    ...(publicUrl !== undefined && { publicUrl }),
  };
}
