import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import { flowView } from '../../task-views.ts';
import { type CliCommand, examples, type JsonFlags } from '../kit/command.ts';
import { requireBefore, requireKnown, sayNextPage, sayNoRows } from '../kit/list.ts';
import { positive } from '../kit/options.ts';
import { localTime, printJson } from '../kit/print.ts';
import { table, time, whole } from '../kit/table.ts';

interface ListFlags extends JsonFlags {
  readonly externalId?: string;
  readonly limit: number;
  readonly before?: string;
}

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List flows, newest first.')
    .option('--external-id <id>', 'only the one of this id, e.g. jira:PROJ-123')
    .option('--limit <n>', 'how many at most', positive, 50)
    .option('--before <id>', 'only older ones than this: the next page')
    .option('--json', 'print an array')
    .addHelpText('after', examples('hookctl flow list --external-id jira:PROJ-123'))
    .action((flags: ListFlags) =>
      runner.run(command.optsWithGlobals(), (app) => list(app, flags, runner.argv)),
    );
};

async function list(app: Services, flags: ListFlags, argv: readonly string[]): Promise<0> {
  const reader = app.reader();
  await requireKnown({
    noun: 'flow about',
    value: flags.externalId,
    known: [
      () => (reader?.flows({ externalId: flags.externalId ?? '' }) ?? []).map(({ externalId }) => externalId),
      () => (reader?.flows() ?? []).map(({ externalId }) => externalId),
    ],
  });
  requireBefore(app, flags.before, (id) => reader?.flows({ id })[0]);
  const views = (reader?.flows(flags) ?? []).map(flowView);
  if (flags.json === true) printJson(app.io, views);
  else if (views.length === 0) {
    const filters = { '--external-id': flags.externalId, '--before': flags.before };
    sayNoRows(app, { nouns: ['flow', 'flows'], filters });
  } else {
    const rows = views.map((view) => [
      view.id,
      localTime(view.created_at),
      view.current_conversation_id,
      view.external_id,
    ]);
    say(app.io.out, table(app.io.out, [whole('id'), time('created'), whole('conversation'), 'about'], rows));
  }
  sayNextPage(app, { list: 'flows', filter: flags, shown: views.length, last: views.at(-1)?.id, argv });
  return 0;
}
