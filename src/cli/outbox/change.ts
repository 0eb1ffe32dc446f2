import { say } from '../../lib/io.ts';
import type { Operations } from '../../server/operations.ts';
import type { OutgoingView } from '../../views.ts';
import { type CliCommand, examples, type JsonFlags } from '../kit/command.ts';
import { operations } from '../kit/operate.ts';
import { facts, printJson } from '../kit/print.ts';

export const configureRetry = configureChange('Send a failed or dropped one again.', (operations, id) =>
  operations.retryOutgoing(id),
);
export const configureDrop = configureChange('Give up one that waits or failed.', (operations, id) =>
  operations.dropOutgoing(id),
);

function configureChange(
  description: string,
  change: (operations: Operations, id: string) => Promise<OutgoingView>,
): CliCommand {
  return (command, runner) => {
    const name = `outbox ${command.name()}`;
    command
      .description(description)
      .argument('<id>', 'id in the outbox')
      .option('--json', 'print it as JSON')
      .addHelpText('after', examples(`hookctl ${name} out-01jd9x3k2a7f3kq2`))
      .action((id: string, { json }: JsonFlags) =>
        runner.run(command.optsWithGlobals(), async (app) => {
          const item = await change(await operations(app, name), id);
          const lines = [
            ['outgoing', item.id],
            ['status', item.status],
            ['delivery', item.delivery_id],
          ] as const;
          if (json === true) printJson(app.io, item);
          else say(app.io.out, facts(lines));
          return 0;
        }),
      );
  };
}
