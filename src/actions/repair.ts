import { failure } from '../errors.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import { type RepairBounds, repairBounds } from '../types/repair.ts';
import type { WebhookCommand } from '../types.ts';
import { type Action, outcome } from './action.ts';
import { replyNote, replyTo, silence, webAddress } from './replying.ts';

/** The bounds that a command's options set, with their defaults. */
export function boundsOf({ options: given }: Pick<WebhookCommand, 'options'>): RepairBounds {
  return repairBounds.parse(given);
}

const TITLE_LENGTH = 80;

/**
 * Lets an agent repair a red build, within bounds. `deliveries/repair/` decides before it runs whether there is something to repair, and
 * what the agent has to know.
 */
export const repair: Action = {
  name: 'repair',
  reachesOut: false,
  usesTemplate: false,
  options: repairBounds,

  async run({ repair: order, command, webhook, ids, replies, needsApproval, template }) {
    if (order === null) throw failure('no_check', `${template.event.type} tells of no result of a check`);
    if (order.kind === 'say') {
      const outgoing =
        replies.state === 'on' ? [replyTo(ids, replies.place, { kind: 'comment', content: order.text })] : [];
      const off = replies.state === 'off' ? `not said: ${replies.reason}` : silence(replies);
      return outcome({ outgoing, note: [order.reason, off].filter((part) => part !== null).join('; ') });
    }
    const task = {
      id: ids.next('task'),
      title: shorten(escapeInvisibleLine(order.title), TITLE_LENGTH),
      status: needsApproval ? ('waiting_approval' as const) : ('queued' as const),
      agent: command.targetAgent,
      prompt: order.prompt,
      typed: '',
      url: webAddress(template.event.url),
      syncToClaudeTasks: webhook.syncToClaudeTasks,
      sourceMetadata: {
        provider: webhook.providerName,
        event_type: template.event.type,
        repair: order.about,
        ...replyNote(replies),
      },
    };
    return outcome({ tasks: [task], note: order.reason });
  },
};
