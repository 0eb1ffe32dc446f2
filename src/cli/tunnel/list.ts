import { say } from '../../lib/io.ts';
import { tunnelDrivers } from '../../tunnels/drivers/index.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { printJson } from '../kit/print.ts';
import { below, table } from '../kit/table.ts';

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List the supported tunnels.')
    .option('--json', 'print an array')
    .examples('hookctl tunnel list')
    .action(
      runner.action(command, async ({ io }, { json }: JsonFlags) => {
        const drivers = Object.values(tunnelDrivers).map(({ name, summary }) => ({ name, summary }));
        if (json === true) printJson(io, drivers);
        else
          say(
            io.out,
            await table(
              io.out,
              ['tunnel', below('what it is')],
              drivers.map(({ name, summary }) => [name, summary]),
            ),
          );
        return 0;
      }),
    );
};
