import { notFound } from '../errors.ts';
import { say } from '../lib/io.ts';
import { readToken } from '../server/credentials.ts';
import type { CliCommand } from './kit/command.ts';

export const configureToken: CliCommand = (command, runner) => {
  command
    .examples('curl -H "Authorization: Bearer $(hookctl token)" http://127.0.0.1:8001/api/status')
    .action(
      runner.action(command, async ({ io, redactor, located: { dataFolder } }) => {
        const token = await readToken(dataFolder);
        if (token === null) {
          throw notFound(
            `there is no management token in ${dataFolder} yet`,
            'The first `hookctl serve` makes it.',
          );
        }
        redactor.reveal(token.reveal());
        say(io.out, token.reveal());
        return 0;
      }),
    );
};
