import type { Command } from 'commander';
import type { AppFlags } from '../../app.ts';
import { examples, type Runner } from '../command.ts';
import { changeTask } from './changed.ts';

interface CancelFlags extends AppFlags {
  readonly reason?: string;
  readonly json?: boolean;
}

export function configureCancel(command: Command, runner: Runner): void {
  command
    .description('Cancel a task that is not over; its run is ended.')
    .argument('<id>', 'task id')
    .option('--reason <text>', 'why, for its history')
    .option('--json', 'print one object')
    .addHelpText('after', examples('hookctl task cancel task-01jd9x3k2a7f3kq2 --reason "done by hand"'))
    .action((id: string, { reason, json }: CancelFlags) =>
      runner.run(command.optsWithGlobals(), (app) =>
        changeTask(app, id, 'cancel', { json, error: reason ?? null }),
      ),
    );
}
