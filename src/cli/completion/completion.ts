import { readFile } from 'node:fs/promises';
import { usageError } from '../../errors.ts';
import { suggestion } from '../../lib/suggest.ts';
import { FROM_SOURCE, PACKAGE_ROOT } from '../../package-root.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, Runner } from '../kit/command.ts';

export const configureCompletion: CliCommand = (command, runner) => {
  command
    .description('Print the completions of a shell: commands, options, and names and ids of this project.')
    .argument('<shell>', 'bash, zsh, fish; json: the commands as data')
    .examples(
      'hookctl completion bash > ~/.local/share/bash-completion/completions/hookctl',
      'hookctl completion zsh > ~/.zsh/_hookctl',
      'hookctl completion fish > ~/.config/fish/completions/hookctl.fish',
    )
    .action(runner.action(command, (app, shell: string) => print(app, shell, runner)));
};

async function print({ io }: Services, name: string, { wholeProgram }: Runner): Promise<0> {
  const { completionScript, SHELLS } = await import('./scripts.ts');
  const shell = SHELLS.find((each) => each === name);
  if (shell === undefined) {
    throw usageError(`there are no completions for ${name}`, suggestion(name, SHELLS));
  }
  // Made at the build; from source it is made now.
  io.out.write(
    FROM_SOURCE
      ? completionScript(shell, await wholeProgram())
      : await readFile(new URL(`dist/completions/${shell}`, PACKAGE_ROOT), 'utf8'),
  );
  return 0;
}
