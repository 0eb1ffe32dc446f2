import type { Command } from 'commander';
import { say } from '../../lib/io.ts';
import type { Operations } from '../../server/operations.ts';
import type { ServiceFlags } from '../../services.ts';
import type { OutgoingView } from '../../views.ts';
import { examples, type Runner } from '../kit/command.ts';
import { operations } from '../kit/operate.ts';
import { facts, printJson } from '../kit/print.ts';

interface ChangeFlags extends ServiceFlags {
  readonly json?: boolean;
}

interface Change {
  readonly description: string;
  readonly change: (operations: Operations, id: string) => Promise<OutgoingView>;
}

export function configureRetry(command: Command, runner: Runner): void {
  configureChange(command, runner, {
    description: 'Send a failed or dropped one again.',
    change: (operations, id) => operations.retryOutgoing(id),
  });
}

export function configureDrop(command: Command, runner: Runner): void {
  configureChange(command, runner, {
    description: 'Give up one that waits or failed.',
    change: (operations, id) => operations.dropOutgoing(id),
  });
}

function configureChange(command: Command, runner: Runner, { description, change }: Change): void {
  const name = `outbox ${command.name()}`;
  command
    .description(description)
    .argument('<id>', 'id in the outbox')
    .option('--json', 'print it as JSON')
    .addHelpText('after', examples(`hookctl ${name} out-01jd9x3k2a7f3kq2`))
    .action((id: string, { json }: ChangeFlags) =>
      runner.run(command.optsWithGlobals(), async (app) => {
        const item = await change(await operations(app, name), id);
        if (json === true) printJson(app.io, item);
        else
          say(
            app.io.out,
            facts([
              ['outgoing', item.id],
              ['status', item.status],
              ['delivery', item.delivery_id],
            ]),
          );
        return 0;
      }),
    );
}
