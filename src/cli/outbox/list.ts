import { shorten } from '../../lib/text/escape-invisible.ts';
import { OUTGOING_STATUSES, type OutgoingStatus } from '../../types.ts';
import { type OutgoingView, outgoingView } from '../../views.ts';
import type { CliCommand } from '../kit/command.ts';
import { type ListColumn, type ListFlags, listCommand } from '../kit/list.ts';
import { oneOf } from '../kit/options.ts';
import { localTime } from '../kit/print.ts';
import { below, state, time, whole } from '../kit/table.ts';

interface OutboxFlags extends ListFlags {
  readonly status?: OutgoingStatus;
}

const CONTENT_LENGTH = 60;

const COLUMNS: readonly ListColumn<OutgoingView>[] = [
  [whole('id'), ({ id }) => id],
  [time('created'), ({ created_at: at }) => localTime(at)],
  [whole('kind'), ({ kind }) => kind],
  ['to', ({ kind, provider }) => (kind === 'forward' ? '-' : provider)],
  [state('status'), ({ status }) => status],
  [whole('tries'), ({ attempts }) => String(attempts)],
  [below('reason'), ({ reason }) => reason ?? '-'],
  [below('content'), ({ content }) => shorten(content, CONTENT_LENGTH)],
];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List replies and forwards, newest first.')
    .addOption(oneOf('--status <status>', 'only those in this status', OUTGOING_STATUSES));
  listCommand(command, runner, {
    list: 'outbox',
    nouns: ['item', 'items of the outbox'],
    find: (store, id) => store.outgoing(id),
    filter: (flags: OutboxFlags) => flags,
    rows: (store, filter) => store.outbox(filter).map(outgoingView),
    columns: () => COLUMNS,
  }).examples('hookctl outbox list --status failed');
};
