import { say } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { LinkedView } from '../../task-views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall } from '../kit/operate.ts';
import { printJson, warn } from '../kit/print.ts';

export const configureLink: CliCommand = (command, runner) => {
  command
    .description(
      'Join the flow of a task with a pull request, issue or ticket, so that all of it is one conversation.',
    )
    .argument('<id>', 'task id')
    .argument('<to>', 'its address, or its external id: github:acme/web#57')
    .option('--json', 'print { task_id, flow_id, external_id, joined } as JSON')
    .examples(
      'hookctl task link task-01jd9x3k2a7f3kq2 https://github.com/acme/web/pull/57',
      'hookctl task link task-01jd9x3k2a7f3kq2 jira:PROJ-123',
    )
    .action(
      runner.action(command, async (app, id: string, to: string, { json }: JsonFlags) => {
        const call = await managementCall(app, 'task link');
        const path = `/api/tasks/${encodeURIComponent(id)}/link`;
        const linked = await call<LinkedView>({ method: 'POST', path, body: { to, source: 'cli' } });
        const subject = escapeInvisibleLine(linked.external_id);
        if (json === true) printJson(app.io, linked);
        else if (linked.joined) say(app.io.out, `${subject} belongs to ${linked.flow_id} now`);
        else warn(app.io, `${subject} belongs to ${linked.flow_id} already: nothing was changed`);
        return 0;
      }),
    );
};
