import type { Command } from 'commander';
import { say } from '../../lib/io.ts';
import type { ServiceFlags } from '../../services.ts';
import { examples, type Runner } from '../kit/command.ts';
import { operations } from '../kit/operate.ts';
import { counted, printJson } from '../kit/print.ts';

interface ReleaseFlags extends ServiceFlags {
  readonly json?: boolean;
}

export function configureRelease(command: Command, runner: Runner): void {
  command
    .description('Let the tasks run that were queued before their agent was configured.')
    .argument('<agent>', 'name under `agents:` in webhooks.yml')
    .option('--json', 'print { agent, tasks } as JSON')
    .addHelpText('after', examples('hookctl task release planning'))
    .action((agent: string, { json }: ReleaseFlags) =>
      runner.run(command.optsWithGlobals(), async (app) => {
        const { tasks } = await operations(app, 'task release');
        const released = await tasks.release(agent);
        if (json === true) printJson(app.io, released);
        else say(app.io.out, `released ${counted(released.tasks)} of ${agent}`);
        return 0;
      }),
    );
}
