import { Option } from 'commander';
import { failure } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { WebhookView } from '../../server/webhook-view.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { patience } from '../kit/moment.ts';
import { serverClient } from '../kit/operate.ts';
import { duration as durationText, printJson } from '../kit/print.ts';
import { pathOf } from './change.ts';
import { refOf } from './view.ts';

interface AwaitFlags extends JsonFlags {
  /** Milliseconds. */
  readonly for: number;
}

interface AwaitAnswer {
  readonly handshake: {
    readonly webhook: string;
    readonly handshake: string;
    readonly method: string;
    readonly awaited: boolean;
    readonly learned_secret: boolean;
  } | null;
}

const REFUSED_WITHIN_MS = 300;

export const configureAwait: CliCommand = (command, runner) => {
  command
    .description(
      'Answer the question that a sender asks when its webhook is set up, once, while this command waits.',
    )
    .argument('<webhook>', 'id or name')
    .addOption(
      new Option('--for <time>', 'how long to wait: 10m, 90s, at most 1h')
        .argParser(patience)
        .default(600_000, '10m'),
    )
    .option('--json', 'print one object')
    .examples('hookctl webhook await asana', 'hookctl webhook await meta --for 5m')
    .action(runner.action(command, awaitHandshake));
};

async function awaitHandshake(app: Services, ref: string, flags: AwaitFlags): Promise<0> {
  const client = await serverClient(app);
  if (client === null) {
    throw failure('no_server', 'no server runs, so that no sender can ask', {
      fix: 'Start it in another terminal: hookctl serve',
    });
  }
  const view = await client.call<WebhookView>({ method: 'GET', path: pathOf(ref) });
  const { io } = app;
  const time = durationText(flags.for);
  // The server refuses at once what has no handshake; then there is nothing to save at the sender.
  const invitation = setTimeout(() => {
    say(io.err, `Waiting ${time} for the handshake at\n  ${view.url}`);
    say(io.err, 'Save the webhook at the sender now; Ctrl-C ends.');
  }, REFUSED_WITHIN_MS);
  const { handshake } = await client
    .call<AwaitAnswer>({
      method: 'POST',
      path: `${pathOf(ref)}/await`,
      body: { timeout_ms: flags.for },
      timeoutMs: flags.for + 30_000,
    })
    .finally(() => clearTimeout(invitation));
  if (handshake === null) {
    throw failure('no_handshake', `no handshake came to ${view.name} within ${time}`, {
      fix: `See what came instead: hookctl delivery list --webhook ${refOf(view)}`,
    });
  }
  if (flags.json === true) {
    printJson(io, handshake);
    return 0;
  }
  const { handshake: name, method, learned_secret: learned } = handshake;
  const secret = learned ? `; its secret is that of ${view.name} now` : '';
  say(io.out, `Answered the handshake ${name} (${method})${secret}`);
  say(io.err, `Next: see that the sender took it, then: hookctl delivery list --webhook ${refOf(view)}`);
  return 0;
}
