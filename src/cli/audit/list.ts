import { type AuditView, auditView } from '../../views.ts';
import type { CliCommand } from '../kit/command.ts';
import { type ListColumn, type ListFlags, listCommand } from '../kit/list.ts';
import { moment } from '../kit/moment.ts';
import { positive } from '../kit/options.ts';
import { localTime } from '../kit/print.ts';
import { below, time, whole } from '../kit/table.ts';

interface AuditFlags extends ListFlags {
  readonly what?: string;
  readonly since?: string;
}

/** First words of the names of changes, such as `webhook.add`. */
const NOUNS = ['webhook', 'command', 'delivery', 'task', 'outbox', 'backup', 'serve'];

const COLUMNS: readonly ListColumn<AuditView>[] = [
  [whole('id'), ({ id }) => String(id)],
  [time('at'), ({ at }) => localTime(at)],
  ['who', ({ actor_kind: kind, actor }) => `${kind} ${actor}`],
  ['what', ({ what }) => what],
  ['target', ({ target }) => target ?? '-'],
  [below('details'), ({ details }) => inWords(details)],
];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List changes and who made them, newest first.')
    .option('--what <name>', 'only this change, webhook.add, or all of webhook')
    .option('--since <time>', 'only since: 2h, 7d, 2026-01-31, 2026-01-31T12:00:00Z');
  listCommand(command, runner, {
    list: 'audit',
    nouns: ['line', 'lines of the audit'],
    names: (app, { what }: AuditFlags) => {
      const recorded = () => (app.reader()?.auditedNames() ?? []).map(nounOf);
      const value = what === undefined ? undefined : nounOf(what);
      return [{ noun: 'kind of change', value, known: [recorded, () => NOUNS] }];
    },
    filter: ({ what, since, limit, before }, { clock }) => ({
      limit,
      ...(what !== undefined && { what }),
      ...(before !== undefined && { before: Number(before) }),
      ...(since !== undefined && { since: moment('--since', since, clock.now()) }),
    }),
    before: (typed) => String(positive(typed)),
    rows: (store, filter) => store.audit(filter).map(auditView),
    columns: () => COLUMNS,
  }).examples('hookctl audit list', 'hookctl audit list --what webhook --since 7d');
};

function nounOf(what: string): string {
  return what.split('.')[0] ?? '';
}

function inWords(details: AuditView['details']): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}
