import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { notFound, usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { printJson } from '../kit/print.ts';

interface CopyFlags extends JsonFlags {
  readonly from?: string;
  readonly to?: string;
}

export const configureCopy: CliCommand = (command, runner) => {
  command
    .description(
      'Copy everything stored from a data folder into an empty PostgreSQL, or back into a new folder, while no server works on either. Both are compared afterwards. Configuration, dynamic webhooks and secrets stay where they are.',
    )
    .requiredOption('--from <place>', 'a data folder, or the URL of a database')
    .requiredOption('--to <place>', 'the URL of a database, or a folder')
    .option('--json', 'print { rows, bodies, checksum } as JSON')
    .examples(
      'hookctl store copy --from ~/.hookctl --to "$DATABASE_URL"',
      'hookctl store copy --from "$DATABASE_URL" --to ~/hookctl-copy',
    )
    .action(runner.action(command, run));
};

/** Rows between two lines of progress. */
const TOLD_ROWS = 20_000;

async function run(app: Services, { from = '', to = '', json = false }: CopyFlags): Promise<0> {
  const isUrl = (place: string) => /^postgres(?:ql)?:\/\//.test(place);
  if (isUrl(from) === isUrl(to))
    throw usageError('one of --from and --to is the URL of a database, the other one a folder');
  const [url, folder] = isUrl(from) ? [from, resolve(app.cwd, to)] : [to, resolve(app.cwd, from)];
  const [{ copyStore }, { addressOf }, { databasePath }] = await Promise.all([
    import('../../store/postgres/copy.ts'),
    import('../../store/postgres/client.ts'),
    import('../../store/local/sqlite.ts'),
  ]);
  if (!isUrl(from) && !existsSync(databasePath(folder))) throw notFound(`nothing is stored in ${folder}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const part = app.part(folder);
  try {
    await part.hold('store copy');
    let next = TOLD_ROWS;
    const copied = await copyStore({
      path: databasePath(folder),
      address: addressOf(url),
      to: isUrl(to) ? 'database' : 'folder',
      told(table, rows) {
        if (rows < next) return;
        next = rows + TOLD_ROWS;
        say(app.io.err, `${rows.toLocaleString('en-US')} rows copied (${table}) …`);
      },
    });
    const { rows, bodies, checksum } = copied;
    if (json) printJson(app.io, copied);
    else
      say(
        app.io.out,
        `${rows.toLocaleString('en-US')} rows and ${bodies.toLocaleString('en-US')} bodies, equal on both sides:\nsha256 ${checksum}`,
      );
    return 0;
  } finally {
    await part.close();
  }
}
