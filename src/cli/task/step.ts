import type { Command } from 'commander';
import type { ServiceFlags } from '../../services.ts';
import { examples, type Runner } from '../kit/command.ts';
import { changeTask } from './changed.ts';

interface StepFlags extends ServiceFlags {
  readonly json?: boolean;
}

const STEPS = {
  start: 'Say that a task is worked on.',
  approve: 'Let a task run that waits for approval.',
  retry: 'Queue a failed or cancelled task again: the same record, its cost counted on.',
} as const;

/** Configures `start`, `approve` or `retry`, which take nothing but the task. */
export const configureStep = (step: keyof typeof STEPS) => (command: Command, runner: Runner) => {
  command
    .description(STEPS[step])
    .argument('<id>', 'task id')
    .option('--json', 'print one object')
    .addHelpText('after', examples(`hookctl task ${step} task-01jd9x3k2a7f3kq2`))
    .action((id: string, { json }: StepFlags) =>
      runner.run(command.optsWithGlobals(), (app) => changeTask(app, id, step, { json })),
    );
};
