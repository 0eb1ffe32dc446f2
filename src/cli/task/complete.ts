import type { Command } from 'commander';
import type { ServiceFlags } from '../../services.ts';
import { examples, type Runner } from '../kit/command.ts';
import { readText } from '../kit/prompts.ts';
import { changeTask } from './changed.ts';
import { type SpentFlags, spentOf, spentOptions } from './spent.ts';

interface CompleteFlags extends ServiceFlags, SpentFlags {
  readonly result?: string;
  readonly resultFile?: string;
  readonly json?: boolean;
}

export function configureComplete(command: Command, runner: Runner): void {
  spentOptions(
    command
      .description('Complete a task, whatever it waits for, with what came of it.')
      .argument('<id>', 'task id')
      .option('--result <text>', 'what came of it; goes back to where the task came from')
      .option('--result-file <file>', 'the same from a file; - reads standard input'),
  )
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      examples(
        'hookctl task complete task-01jd9x3k2a7f3kq2 --result "Fixed in #43"',
        'hookctl task complete task-01jd9x3k2a7f3kq2 --result-file report.md --cost-usd 0.42',
      ),
    )
    .action((id: string, flags: CompleteFlags) =>
      runner.run(command.optsWithGlobals(), async (app) => {
        const text = { option: '--result', text: flags.result, file: flags.resultFile };
        const result = await readText(app, text);
        return changeTask(app, id, 'complete', { json: flags.json, result, spent: spentOf(flags) });
      }),
    );
}
