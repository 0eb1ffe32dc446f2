import type { Command } from 'commander';
import { say } from '../../lib/io.ts';
import type { ServiceFlags } from '../../services.ts';
import { tunnelDrivers } from '../../tunnels/drivers/index.ts';
import { examples, type Runner } from '../kit/command.ts';
import { printJson } from '../kit/print.ts';
import { below, table } from '../kit/table.ts';

interface ListFlags extends ServiceFlags {
  readonly json?: boolean;
}

export function configureList(command: Command, runner: Runner): void {
  command
    .description('List the tunnels that hookctl can open.')
    .option('--json', 'print an array')
    .addHelpText('after', examples('hookctl tunnel list'))
    .action(({ json }: ListFlags) =>
      runner.run(command.optsWithGlobals(), async ({ io }) => {
        const drivers = Object.values(tunnelDrivers).map(({ name, summary }) => ({ name, summary }));
        if (json === true) printJson(io, drivers);
        else
          say(
            io.out,
            table(
              io.out,
              ['tunnel', below('what it is')],
              drivers.map(({ name, summary }) => [name, summary]),
            ),
          );
        return 0;
      }),
    );
}
