import { failure } from '../../errors.ts';
import { commandsOut, say } from '../../lib/io.ts';
import { escapeInvisible } from '../../lib/text/escape-invisible.ts';
import type { Services } from '../../services.ts';
import { type DeliveryView, exportedDelivery } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { bytes, localTime, printJson, sayFacts } from '../kit/print.ts';
import { shownView } from '../kit/stored.ts';
import { below, table } from '../kit/table.ts';

interface ShowFlags extends JsonFlags {
  readonly body?: boolean;
}

export const configureShow: CliCommand = (command, runner) => {
  command
    .description('Show a delivery: what was received, and what each command did with it.')
    .argument('<id>', 'delivery id')
    .option('--body', 'print the body as received, with invisible characters escaped')
    .option('--json', 'print everything with headers and body (base64), for `replay`')
    .examples(
      'hookctl delivery show dlv-01jd9x3k2a7f3kq2',
      'hookctl delivery show dlv-… --json > delivery.json',
    )
    .action(runner.action(command, show));
};

async function show(app: Services, id: string, flags: ShowFlags): Promise<0> {
  const { io } = app;
  const view = await shownView(app, 'delivery', id, {
    find: (store) => store.delivery(id),
    view: (store, delivery) => exportedDelivery(delivery, store.body(id)),
  });
  if (flags.body === true && view.body_removed_at !== null)
    throw failure('no_bytes', `retention removed the bytes of ${id}`, { fix: nextStep(view) });
  if (flags.json === true || flags.body === true) {
    if (flags.json === true) printJson(io, view);
    else say(io.out, escapeInvisible(Buffer.from(view.body_base64 ?? '', 'base64').toString('utf8')));
    return 0;
  }

  const out = commandsOut(io);
  sayFacts(out, [
    ['delivery', view.id],
    ['webhook', `${view.webhook} (${view.provider})`],
    ['owner', view.owner],
    ['status', view.status],
    ['reason', view.reason],
    ['variant', view.variant],
    ['event', view.event_type],
    ['about', view.external_id],
    ['sender', view.sender],
    ['sender’s id', view.sender_delivery_id],
    ['received', localTime(view.received_at)],
    [
      'runs at',
      view.status !== 'pending' || view.next_attempt_at === null ? null : localTime(view.next_attempt_at),
    ],
    ['settled', view.settled_at === null ? null : localTime(view.settled_at)],
    ['size', bytes(view.size)],
    [
      'bytes',
      view.body_removed_at === null ? null : `removed by retention, ${localTime(view.body_removed_at)}`,
    ],
    ['duplicate of', view.duplicate_of],
    ['replay of', view.replay_of],
    ['sample', view.sample ? 'made by `hookctl trigger`' : null],
    ['attempts', view.attempts === 0 ? null : String(view.attempts)],
  ]);
  if (view.decisions.length > 0) {
    const rows = view.decisions.map((row) => [
      row.would === undefined || row.variant === undefined ? row.command : `${row.command} (${row.variant})`,
      row.fired ? 'fired' : row.would == null ? 'no' : 'would have',
      row.task_ids.join(' ') || '-',
      row.error ?? row.reason,
    ]);
    say(out, `\n${await table(out, ['command', 'fired', 'task', below('why')], rows)}`);
  }
  say(io.err, nextStep(view));
  return 0;
}

/** The next useful command, of those that can succeed. */
function nextStep({ id, status, body_removed_at: removedAt }: DeliveryView): string {
  if (removedAt !== null) return 'Its body was removed: to run it again, have the sender deliver it again.';
  switch (status) {
    case 'rejected':
      return 'Its body was not kept: have the sender deliver it again.';
    case 'unparsed':
      return `See its body: hookctl delivery show ${id} --body`;
    default:
      return `Run it again: hookctl replay ${id}`;
  }
}
