import { failure } from '../errors.ts';
import { say } from '../lib/io.ts';
import type { Services } from '../services.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { serverAddress } from './kit/operate.ts';
import { printJson } from './kit/print.ts';

interface DashboardFlags extends JsonFlags {
  readonly open: boolean;
}

export const configureDashboard: CliCommand = (command, runner) => {
  command
    .description(
      'Open the dashboard of the running server in the browser. It shows what the CLI shows, live, on this machine alone.',
    )
    .option('--no-open', 'print the address with the token, and open nothing')
    .option('--json', 'print an object with the address, and open nothing')
    .examples('hookctl dashboard', 'hookctl dashboard --no-open')
    .action(runner.action(command, dashboard));
};

async function dashboard(app: Services, { open, json }: DashboardFlags): Promise<0> {
  const address = await serverAddress(app);
  if (address === null)
    throw failure('no_server', 'no server runs that could show a dashboard', {
      fix: 'Start it: hookctl serve',
    });
  const page = `http://127.0.0.1:${address.port}/dashboard`;
  const token = address.token.reveal();
  // In the fragment, which a browser sends to no server.
  const url = `${page}#token=${token}`;
  if (json === true || !open) {
    app.redactor.reveal(token);
    if (json === true) printJson(app.io, { url });
    else say(app.io.out, url);
    return 0;
  }
  const { openPage } = await import('../lib/process/open-page.ts');
  const opened = await openPage(url, { env: app.env, platform: process.platform });
  if (opened) {
    say(app.io.err, `Opened ${page}`);
    return 0;
  }
  throw failure('no_browser', 'no browser could be opened here', {
    fix: `Print the address, and open it yourself: hookctl dashboard --no-open. From another machine: ssh -L ${address.port}:127.0.0.1:${address.port} …`,
  });
}
