import { say } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { LinkView } from '../../task-views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';

export const configureUnlink: CliCommand = (command, runner) => {
  command
    .description(
      'Take a pull request, issue or ticket out of the flow that it was joined with. Tasks that were made meanwhile stay there.',
    )
    .argument('<id>', 'its external id, such as github:acme/web#57, or its own flow id')
    .option('--json', 'print the link that was taken back as JSON')
    .examples('hookctl flow unlink github:acme/web#57')
    .action(
      runner.action(command, async (app, id: string, { json }: JsonFlags) => {
        const call = await managementCall(app, 'flow unlink');
        const path = `/api/flows/${encodeURIComponent(id)}/unlink`;
        const link = await call<LinkView>({ method: 'POST', path, body: {} });
        if (json === true) printJson(app.io, link);
        else {
          const subject = escapeInvisibleLine(link.external_id);
          say(
            app.io.out,
            `${subject} has a flow of its own again: ${link.flow_id}, out of ${link.into_flow_id}`,
          );
          say(app.io.err, `Only a person joins them again: hookctl task link <task> ${subject}`);
        }
        return 0;
      }),
    );
};
