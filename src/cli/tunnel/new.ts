import { usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { createSmeeChannel } from '../../tunnels/drivers/smee/channel.ts';
import type { CliCommand } from '../kit/command.ts';

export const configureNew: CliCommand = (command, runner) => {
  command
    .description('Create a channel at a relay: smee.io, or your own smee or gosmee server.')
    .argument('<relay>', 'smee')
    .option('--server <url>', 'the relay', 'https://smee.io')
    .examples('hookctl tunnel new smee', 'hookctl tunnel new smee --server https://smee.example.com')
    .action(
      runner.action(command, async ({ io, env }, relay: string, { server }: { server: string }) => {
        if (relay !== 'smee')
          throw usageError(`there are no channels at ${relay}`, 'Use: hookctl tunnel new smee');
        const url = await createSmeeChannel(server, env);
        say(io.out, url);
        say(
          io.err,
          `Anyone who knows it can read and post. Next: ${commandLine('hookctl', 'serve', '--tunnel', `smee=${url}`)}`,
        );
        return 0;
      }),
    );
};
