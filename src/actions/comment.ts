import { z } from 'zod';
import type { WebhookCommand } from '../types.ts';
import { type Action, outcome } from './action.ts';
import { mustReply, silence } from './replying.ts';

const options = z.strictObject({
  in: z
    .enum(['thread', 'flow'])
    .default('thread')
    .describe(
      'flow: in the thread where its flow began, such as the ticket of a pull request; default thread.',
    ),
});

/** Whether a command posts in the thread where the flow of its event began. */
export function postsInFlow({ action, options: given }: Pick<WebhookCommand, 'action' | 'options'>): boolean {
  return action === 'comment' && options.parse(given).in === 'flow';
}

/** Posts the rendered template where the event came from, or where its flow began. */
export const comment: Action = posting('comment', options);

/**
 * Posts the rendered template through the reply channel that the request brought (Slack's `response_url`); a comment
 * where there is none, or where it may no longer be used.
 */
export const respond: Action = posting('respond', z.strictObject({}));

function posting(kind: 'comment' | 'respond', taken: Action['options']): Action {
  return {
    name: kind,
    reachesOut: true,
    usesTemplate: true,
    options: taken,

    async run(context) {
      const { posted } = await context.command.template.compiled();
      const content = posted(context.template);
      return outcome({ outgoing: mustReply(context, { kind, content }), note: silence(context.replies) });
    },
  };
}
