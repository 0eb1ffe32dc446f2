import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import { type AuditView, auditView } from '../../views.ts';
import { type CliCommand, examples, type JsonFlags } from '../kit/command.ts';
import { requireKnown, sayNextPage, sayNoRows } from '../kit/list.ts';
import { moment } from '../kit/moment.ts';
import { positive } from '../kit/options.ts';
import { localTime, printJson } from '../kit/print.ts';
import { below, table, time, whole } from '../kit/table.ts';

interface ListFlags extends JsonFlags {
  readonly what?: string;
  readonly since?: string;
  readonly limit: number;
  readonly before?: number;
}

/** What changes are made to; `webhook.add` is one of the first. */
const NOUNS = ['webhook', 'command', 'delivery', 'task', 'outbox', 'backup', 'serve', 'config', 'grant'];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List who changed what, newest first.')
    .option('--what <name>', 'only this: webhook.add, or webhook for all that begins so')
    .option('--since <time>', 'only since then: 2h, 7d, 2026-01-31, 2026-01-31T12:00:00Z')
    .option('--limit <n>', 'how many at most', positive, 50)
    .option('--before <id>', 'only lines before this one: the next page', positive)
    .option('--json', 'print an array')
    .addHelpText('after', examples('hookctl audit list', 'hookctl audit list --what webhook --since 7d'))
    .action((flags: ListFlags) =>
      runner.run(command.optsWithGlobals(), (app) => list(app, flags, runner.argv)),
    );
};

async function list(app: Services, flags: ListFlags, argv: readonly string[]): Promise<0> {
  const { what, since, limit, before, json } = flags;
  const filter = {
    limit,
    ...(what !== undefined && { what }),
    ...(before !== undefined && { before }),
    ...(since !== undefined && { since: moment('--since', since, app.clock.now()) }),
  };
  const recorded = () => (app.reader()?.auditedNames() ?? []).map(nounOf);
  const noun = what === undefined ? undefined : nounOf(what);
  await requireKnown({ noun: 'kind of change', value: noun, known: [recorded, () => NOUNS] });
  const rows = (app.reader()?.audit(filter) ?? []).map(auditView);
  if (json === true) printJson(app.io, rows);
  else if (rows.length === 0) {
    const filters = { '--what': what, '--since': since, '--before': before?.toString() };
    sayNoRows(app, { nouns: ['line', 'lines of the audit'], filters });
  } else
    say(
      app.io.out,
      table(
        app.io.out,
        [whole('id'), time('at'), 'who', 'what', 'target', below('details')],
        rows.map(cells),
      ),
    );
  sayNextPage(app, { list: 'audit', filter: filter, shown: rows.length, last: rows.at(-1)?.id, argv });
  return 0;
}

function nounOf(what: string): string {
  return what.split('.')[0] ?? '';
}

function cells({ id, at, actor_kind: kind, actor, what, target, details }: AuditView): readonly string[] {
  return [String(id), localTime(at), `${kind} ${actor}`, what, target ?? '-', inWords(details)];
}

function inWords(details: AuditView['details']): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}
