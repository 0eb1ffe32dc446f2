import { InvalidArgumentError, Option } from 'commander';
import { HookctlError, usageError } from '../../errors.ts';
import { paint, say } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import { duration } from '../../lib/units.ts';
import type { ApiCall } from '../../mcp/backend.ts';
import type { Services } from '../../services.ts';
import type { connectionView, deliveryView } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall, serverClient } from '../kit/operate.ts';
import { duration as inWords, printJson, warn } from '../kit/print.ts';

export type ConnectionView = ReturnType<typeof connectionView>;
type DeliveryView = ReturnType<typeof deliveryView>;

interface ConnectFlags extends JsonFlags {
  readonly org?: boolean;
  readonly app?: boolean;
  readonly webhook?: string;
  /** True when no id was given. */
  readonly adopt?: string | true;
  readonly dryRun?: boolean;
  readonly wait: number;
}

interface ConnectAnswer {
  readonly outcome: 'made' | 'found' | 'adopted' | 'changed' | 'kept';
  readonly calls: readonly string[];
  readonly notes: readonly string[];
  readonly connection: ConnectionView | null;
  /** Made by the sender, for a variable. */
  readonly secret?: string;
}

/** What became of one target, for `--json`. */
interface Result {
  readonly target: string;
  readonly ok: boolean;
  readonly connection?: ConnectionView | null;
  readonly outcome?: ConnectAnswer['outcome'];
  readonly calls?: readonly string[];
  readonly notes?: readonly string[];
  readonly secret?: string;
  /** `arrived`, `missing`, or why none was asked for. */
  readonly ping?: string;
  readonly error?: string;
}

export const configureConnect: CliCommand = (command, runner) => {
  command
    .description('Make hooks at senders, with URL, secret and the events that commands use.')
    .argument('<sender>', 'github, gitlab, gitea, jira, linear, sentry, stripe, …')
    .argument('[target...]', 'whose events: owner/repository, an organisation with --org, …')
    .option('--org', 'the targets are organisations, groups or workspaces')
    .option('--app', 'github: make a GitHub App for all repositories, by a page in your browser')
    .option('--webhook <name>', 'the webhook that receives, default: the one of the sender')
    .option('--adopt [id]', 'take over the hook that is there, by its id or its endpoint')
    .option('--dry-run', 'print the calls and change nothing')
    .addOption(
      new Option('--wait <time>', 'how long to wait for the ping: 20s, 0')
        .argParser(waitTime)
        .default(20_000, '20s'),
    )
    .option('--json', 'print an array')
    .examples(
      'hookctl connect github acme/api acme/web',
      'hookctl connect github acme --org',
      'hookctl connect github --app',
    )
    .action(runner.action(command, connect));
};

function waitTime(text: string): number {
  if (text === '0') return 0;
  const parsed = duration.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It must be a number and s, m or h, such as 20s, or 0.');
}

async function connect(
  app: Services,
  sender: string,
  targets: readonly string[],
  flags: ConnectFlags,
): Promise<0 | 1 | 2 | 3 | 4> {
  if (flags.app === true) {
    const { connectApp } = await import('./app.ts');
    return connectApp(app, sender, targets, flags);
  }
  if (targets.length === 0) {
    const { connectorNamed } = await import('../../connect/context.ts');
    const { example } = await connectorNamed(sender);
    throw usageError(
      'connect needs a repository, project or account',
      `Such as: hookctl connect ${sender} ${example}`,
    );
  }
  if (flags.adopt !== undefined && targets.length > 1) {
    throw usageError('--adopt takes over one hook, of one target', 'Name one target.');
  }
  const isServed = (await serverClient(app)) !== null;
  const call = await managementCall(app, 'connect');
  const results: Result[] = [];
  let exit: 0 | 1 | 2 | 3 | 4 = 0;
  for (const target of targets) {
    try {
      results.push(await connectOne({ app, call, isServed, flags }, sender, target));
    } catch (error) {
      if (!(error instanceof HookctlError)) throw error;
      // One target alone ends as every command does.
      if (targets.length === 1) throw error;
      exit = error.exitCode === 0 ? 1 : error.exitCode;
      warn(app.io, `${target}: ${error.message}${error.fix === null ? '' : `\n  ${error.fix}`}`);
      results.push({ target, ok: false, error: error.message });
    }
  }
  if (flags.json === true) printJson(app.io, results);
  return exit !== 0 ? exit : results.every(({ ok }) => ok) ? 0 : 1;
}

interface Work {
  readonly app: Services;
  readonly call: ApiCall;
  readonly isServed: boolean;
  readonly flags: ConnectFlags;
}

const DONE = {
  made: 'made its hook',
  found: 'found the hook that was made before',
  adopted: 'took over the hook',
  changed: 'changed the hook',
  kept: 'is connected',
} as const;

async function connectOne(
  { app, call, isServed, flags }: Work,
  sender: string,
  target: string,
): Promise<Result> {
  const answer = await call<ConnectAnswer>({
    method: 'POST',
    path: '/api/connections',
    body: {
      ...{ connector: sender, target, organisation: flags.org === true, dry_run: flags.dryRun === true },
      ...(flags.webhook !== undefined && { webhook: flags.webhook }),
      ...(flags.adopt !== undefined && { adopt: flags.adopt === true ? '' : flags.adopt }),
    },
  });
  const { connection, outcome, calls, notes, secret } = answer;
  const { out } = app.io;
  const isQuiet = flags.json === true;
  const tell = (text: string) => (isQuiet ? undefined : say(out, text));
  for (const note of notes) warn(app.io, `note: ${escapeInvisibleLine(note)}`);
  if (connection === null) {
    tell(calls.map(escapeInvisibleLine).join('\n'));
    return { target, ok: true, connection, outcome, calls, notes };
  }
  const { webhook, events, url, remote_id: id } = connection;
  tell(
    `${sender} ${connection.target} ${DONE[outcome]} ${id}: ${events.join(', ')}\n  → ${webhook} at ${url}`,
  );
  if (secret !== undefined) {
    app.redactor.reveal(secret);
    tell(
      `  its secret, told this once: ${secret}\n  Put it into the variable of ${webhook} and restart hookctl.`,
    );
  }
  const pinged = await awaitPing({ app, call, isServed, flags }, connection);
  tell(`  ${pinged.text}`);
  const { ok, state } = pinged;
  return { target, ok, connection, outcome, notes, ping: state, ...(secret !== undefined && { secret }) };
}

interface Pinged {
  readonly ok: boolean;
  readonly state: string;
  readonly text: string;
}

const LOOK_MS = 300;

/** Asks the sender for a test, and waits until it has arrived. */
async function awaitPing({ app, call, isServed, flags }: Work, connection: ConnectionView): Promise<Pinged> {
  const { id, connector, webhook } = connection;
  if (!isServed) {
    return {
      ok: true,
      state: 'not served',
      text: 'No server runs: no ping was asked for. Start one: hookctl serve',
    };
  }
  const path = `/api/connections/${id}` as const;
  const { asked, at } = await call<{ asked: boolean; at: string }>({ method: 'POST', path: `${path}/ping` });
  if (!asked) {
    const text = `${connector} sends no test that runs no command: its first event shows that it reaches you`;
    return { ok: true, state: 'none', text };
  }
  const { err } = app.io;
  if (flags.wait === 0) return { ok: true, state: 'asked', text: 'A ping was asked for.' };
  if (flags.json !== true)
    say(err, paint(err, 'dim', `Waiting for the ping, at most ${inWords(flags.wait)} …`));
  const until = performance.now() + flags.wait;
  const began = performance.now();
  for (;;) {
    const found = await call<{ last_delivery: DeliveryView | null; last_refused: DeliveryView | null }>({
      method: 'GET',
      path: `${path}?since=${at}`,
    });
    const { last_delivery: arrived, last_refused: refused } = found;
    if (arrived !== null) {
      const text = `the ping arrived after ${inWords(performance.now() - began)} [${arrived.id}]`;
      return { ok: true, state: 'arrived', text };
    }
    if (performance.now() > until) {
      const why =
        refused === null
          ? `Look at what ${connector} says of the hook, and whether the tunnel is up: hookctl tunnel status`
          : `A request was refused: ${refused.reason}. See hookctl explain ${refused.id}`;
      return {
        ok: false,
        state: 'missing',
        text: `no ping arrived at ${webhook} in ${inWords(flags.wait)}. ${why}`,
      };
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
