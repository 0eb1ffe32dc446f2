import { readFile } from 'node:fs/promises';
import { FROM_SOURCE, PACKAGE_ROOT } from '../package-root.ts';
import type { Services } from '../services.ts';
import type { CliCommand } from './kit/command.ts';

export const configureSchema: CliCommand = (command, runner) => {
  command
    .description(
      'Print the JSON Schema of webhooks.yml, by which editors complete and check it. The package has it, too: hookctl/webhooks.schema.json.',
    )
    .examples('hookctl schema > webhooks.schema.json', 'hookctl schema | jq .properties.agents')
    .action(runner.action(command, print));
};

/** Written at the build; from source it is made now. */
async function print({ io }: Services): Promise<0> {
  io.out.write(
    FROM_SOURCE
      ? (await import('../config/project/schema.ts')).projectSchemaText()
      : await readFile(new URL('dist/webhooks.schema.json', PACKAGE_ROOT), 'utf8'),
  );
  return 0;
}
