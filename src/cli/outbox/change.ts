import type { OutgoingView } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall } from '../kit/operate.ts';
import { printJson, sayFacts } from '../kit/print.ts';

export const configureRetry = configureChange('Send a failed or dropped reply or forward again.');
export const configureDrop = configureChange('Drop a waiting or failed reply or forward.');

/** The command's name is the last part of its route. */
function configureChange(description: string): CliCommand {
  return (command, runner) => {
    const name = `outbox ${command.name()}`;
    command
      .description(description)
      .argument('<id>', 'id in the outbox')
      .option('--json', 'print it as JSON')
      .examples(`hookctl ${name} out-01jd9x3k2a7f3kq2`)
      .action(
        runner.action(command, async (app, id: string, { json }: JsonFlags) => {
          const call = await managementCall(app, name);
          const path = `/api/outbox/${encodeURIComponent(id)}/${command.name()}`;
          const item = await call<OutgoingView>({ method: 'POST', path, body: {} });
          const lines = [
            ['outgoing', item.id],
            ['status', item.status],
            ['delivery', item.delivery_id],
          ] as const;
          if (json === true) printJson(app.io, item);
          else sayFacts(app.io.out, lines);
          return 0;
        }),
      );
  };
}
