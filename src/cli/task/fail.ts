import type { Command } from 'commander';
import type { ServiceFlags } from '../../services.ts';
import { examples, type Runner } from '../kit/command.ts';
import { renamed } from '../kit/options.ts';
import { readText } from '../kit/prompts.ts';
import { changeTask } from './changed.ts';
import { type SpentFlags, spentOf, spentOptions } from './spent.ts';

interface FailFlags extends ServiceFlags, SpentFlags {
  readonly reason?: string;
  readonly reasonFile?: string;
  readonly json?: boolean;
}

export function configureFail(command: Command, runner: Runner): void {
  spentOptions(
    command
      .description('Say that a task failed, and why. Tasks that depend on it stay blocked.')
      .argument('<id>', 'task id')
      .option('--reason <text>', 'why; goes back to where the task came from')
      .option('--reason-file <file>', 'the same from a file; - reads standard input')
      .addOption(renamed('--error <text>', '--reason'))
      .addOption(renamed('--error-file <file>', '--reason-file')),
  )
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      examples('hookctl task fail task-01jd9x3k2a7f3kq2 --reason "the tests do not start"'),
    )
    .action((id: string, flags: FailFlags) =>
      runner.run(command.optsWithGlobals(), async (app) => {
        const error = await readText(app, { option: '--reason', text: flags.reason, file: flags.reasonFile });
        return changeTask(app, id, 'fail', { json: flags.json, error, spent: spentOf(flags) });
      }),
    );
}
