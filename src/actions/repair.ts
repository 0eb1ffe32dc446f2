import { z } from 'zod';
import { failure } from '../errors.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { WebhookCommand } from '../types.ts';
import { type Action, outcome } from './action.ts';
import { webAddress } from './create-task.ts';
import { replyNote, replyTo, silence } from './replying.ts';

/** Bounds of `repair`. */
export type RepairBounds = z.output<typeof repairOptions>;
export const repairOptions = z.strictObject({
  checks: z
    .array(z.string().min(1))
    .min(1, 'expected at least one name of a check, workflow or pipeline; * stands for any letters')
    .readonly()
    .describe('Names of checks, workflows or pipelines whose failures are repaired; * is any text.'),
  branches: z
    .array(z.string().min(1))
    .readonly()
    .default(['hookctl/*'])
    .describe(
      'Branches that are repaired, beside those of pull requests that tasks opened. Default hookctl/*.',
    ),
  attempts: z.int().min(1).max(20).default(2).describe('Most repairs of one pull request; default 2.'),
  perDay: z.int().min(1).max(1000).default(10).describe('Most repairs of all within 24 hours; default 10.'),
  notify: z
    .string()
    .regex(/^@?[\w./-]{1,100}$/, 'expected the name of a person or team, such as @octocat')
    .optional()
    .describe('Who is tagged when a repair ends without success: @octocat.'),
});

/** The bounds that a command's options set, with their defaults. */
export function boundsOf({ options: given }: Pick<WebhookCommand, 'options'>): RepairBounds {
  return repairOptions.parse(given);
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
  options: repairOptions,

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
