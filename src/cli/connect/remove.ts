import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';
import type { ConnectionView } from './connect.ts';

export const configureRemove: CliCommand = (command, runner) => {
  command
    .description('Remove the hooks of connections at their senders.')
    .argument('<connection...>', 'id or target')
    .option('--json', 'print an array')
    .examples('hookctl connect remove acme/api')
    // `--json` is an option of `connect`, too, which takes it.
    .action(
      runner.action(command, (app, refs: readonly string[]) =>
        remove(app, refs, command.optsWithGlobals<JsonFlags>()),
      ),
    );
};

async function remove(app: Services, refs: readonly string[], { json }: JsonFlags): Promise<0> {
  const call = await managementCall(app, 'connect remove');
  const removed: ConnectionView[] = [];
  for (const ref of refs) {
    const path = `/api/connections/${encodeURIComponent(ref)}` as const;
    const view = await call<ConnectionView>({ method: 'GET', path });
    await call({ method: 'DELETE', path: `/api/connections/${view.id}` });
    removed.push(view);
    const { connector, target, webhook, remote_id: id } = view;
    if (json !== true)
      say(app.io.out, `${connector} ${target}: removed hook ${id}; ${webhook} receives nothing from it`);
  }
  if (json === true) printJson(app.io, removed);
  return 0;
}
