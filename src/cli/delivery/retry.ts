import { type CliCommand, examples, type JsonFlags } from '../kit/command.ts';
import { operations } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';
import { printSettled, succeeded } from '../kit/settled.ts';

export const configureRetry: CliCommand = (command, runner) => {
  command
    .description('Take up a failed or ignored delivery again: the same record, with today’s configuration.')
    .argument('<id>', 'delivery id')
    .option('--json', 'print { delivery, tasks } as JSON')
    .addHelpText('after', examples('hookctl delivery retry dlv-01jd9x3k2a7f3kq2'))
    .action((id: string, { json }: JsonFlags) =>
      runner.run(command.optsWithGlobals(), async (app) => {
        const settled = await (await operations(app, 'delivery retry')).retry(id);
        if (json === true) printJson(app.io, settled);
        else printSettled(app.io, settled);
        return succeeded(settled) ? 0 : 1;
      }),
    );
};
