import { conversationView } from '../../task-views.ts';
import type { CliCommand } from '../kit/command.ts';
import { flowName, type ListColumn, type ListFlags, listCommand } from '../kit/list.ts';
import { costOf, countsByStatus, localTime, tookOf } from '../kit/print.ts';
import { below, time, whole } from '../kit/table.ts';

interface ConversationFlags extends ListFlags {
  readonly flow?: string;
}

const COLUMNS: readonly ListColumn<ReturnType<typeof conversationView>>[] = [
  [whole('id'), ({ id }) => id],
  [time('created'), ({ created_at: at }) => localTime(at)],
  [whole('flow'), ({ flow_id: id }) => id],
  ['tasks', ({ by_status: counts }) => countsByStatus(counts)],
  ['took', (view) => tookOf(view) ?? '-'],
  [below('cost'), (view) => costOf(view) ?? '-'],
];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List conversations with their totals, newest first.')
    .option('--flow <id>', 'only those of this flow');
  listCommand(command, runner, {
    list: 'conversations',
    nouns: ['conversation', 'conversations'],
    names: (app, { flow }: ConversationFlags) => [flowName(app, flow)],
    find: (store, id) => store.conversations({ id })[0],
    filter: ({ flow, ...page }) => ({ ...page, ...(flow !== undefined && { flowId: flow }) }),
    rows: (store, filter) => store.conversations(filter).map(conversationView),
    columns: () => COLUMNS,
  }).examples('hookctl conversation list --flow flow-0f3a8b7c6d5e4f30');
};
