import { flowView } from '../../task-views.ts';
import type { CliCommand } from '../kit/command.ts';
import { type ListColumn, type ListFlags, listCommand } from '../kit/list.ts';
import { localTime } from '../kit/print.ts';
import { time, whole } from '../kit/table.ts';

interface FlowFlags extends ListFlags {
  readonly externalId?: string;
}

const COLUMNS: readonly ListColumn<ReturnType<typeof flowView>>[] = [
  [whole('id'), ({ id }) => id],
  [time('created'), ({ created_at: at }) => localTime(at)],
  [whole('conversation'), ({ current_conversation_id: id }) => id],
  ['about', ({ external_id: id }) => id],
];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List flows, newest first.')
    .option('--external-id <id>', 'only the one of this id, e.g. jira:PROJ-123');
  listCommand(command, runner, {
    list: 'flows',
    nouns: ['flow', 'flows'],
    names: (app, { externalId }: FlowFlags) => {
      const idsOf = (filter?: { externalId: string }) => () =>
        (app.reader()?.flows(filter) ?? []).map((flow) => flow.externalId);
      const known = [idsOf({ externalId: externalId ?? '' }), idsOf()];
      return [{ noun: 'flow about', value: externalId, known }];
    },
    find: (store, id) => store.flows({ id })[0],
    filter: (flags) => flags,
    rows: (store, filter) => store.flows(filter).map(flowView),
    columns: () => COLUMNS,
  }).examples('hookctl flow list --external-id jira:PROJ-123');
};
