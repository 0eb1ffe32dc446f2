import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import { conversationView } from '../../task-views.ts';
import { type CliCommand, examples, type JsonFlags } from '../kit/command.ts';
import { requireBefore, requireKnown, sayNextPage, sayNoRows } from '../kit/list.ts';
import { positive } from '../kit/options.ts';
import { costOf, localTime, printJson, tookOf } from '../kit/print.ts';
import { below, table, time, whole } from '../kit/table.ts';

interface ListFlags extends JsonFlags {
  readonly flow?: string;
  readonly limit: number;
  readonly before?: string;
}

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List conversations with their totals, newest first.')
    .option('--flow <id>', 'only those of this flow')
    .option('--limit <n>', 'how many at most', positive, 50)
    .option('--before <id>', 'only older ones than this: the next page')
    .option('--json', 'print an array')
    .addHelpText('after', examples('hookctl conversation list --flow flow-0f3a8b7c6d5e4f30'))
    .action((flags: ListFlags) =>
      runner.run(command.optsWithGlobals(), (app) => list(app, flags, runner.argv)),
    );
};

async function list(app: Services, { flow, json, ...page }: ListFlags, argv: readonly string[]): Promise<0> {
  const filter = { ...page, ...(flow && { flowId: flow }) };
  const reader = app.reader();
  await requireKnown({
    noun: 'flow',
    value: flow,
    known: [() => (reader?.flows({ id: flow ?? '' }) ?? []).map(({ id }) => id)],
  });
  requireBefore(app, page.before, (id) => reader?.conversations({ id })[0]);
  const views = (reader?.conversations(filter) ?? []).map(conversationView);
  if (json === true) printJson(app.io, views);
  else if (views.length === 0) {
    const filters = { '--flow': flow, '--before': page.before };
    sayNoRows(app, { nouns: ['conversation', 'conversations'], filters });
  } else {
    const rows = views.map((view) => [
      view.id,
      localTime(view.created_at),
      view.flow_id,
      counts(view.by_status),
      tookOf(view) ?? '-',
      costOf(view) ?? '-',
    ]);
    say(
      app.io.out,
      table(app.io.out, [whole('id'), time('created'), whole('flow'), 'tasks', 'took', below('cost')], rows),
    );
  }
  sayNextPage(app, {
    list: 'conversations',
    filter: filter,
    shown: views.length,
    last: views.at(-1)?.id,
    argv,
  });
  return 0;
}

/** `2 completed, 1 failed`. */
export function counts(byStatus: Readonly<Record<string, number>>): string {
  return (
    Object.entries(byStatus)
      .map(([status, count]) => `${count} ${status}`)
      .join(', ') || 'none'
  );
}
