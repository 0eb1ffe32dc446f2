import type { Command } from 'commander';
import type { ServiceFlags } from '../../services.ts';
import { examples, type Runner } from '../kit/command.ts';
import { operations } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';
import { printSettled, succeeded } from '../kit/settled.ts';

interface RetryFlags extends ServiceFlags {
  readonly json?: boolean;
}

export function configureRetry(command: Command, runner: Runner): void {
  command
    .description('Take up a failed or ignored delivery again: the same record, with today’s configuration.')
    .argument('<id>', 'delivery id')
    .option('--json', 'print { delivery, tasks } as JSON')
    .addHelpText('after', examples('hookctl delivery retry dlv-01jd9x3k2a7f3kq2'))
    .action((id: string, { json }: RetryFlags) =>
      runner.run(command.optsWithGlobals(), async (app) => {
        const settled = await (await operations(app, 'delivery retry')).retry(id);
        if (json === true) printJson(app.io, settled);
        else printSettled(app.io, settled);
        return succeeded(settled) ? 0 : 1;
      }),
    );
}
