import { z } from 'zod';
import { type Action, outcome } from './action.ts';
import { mustReply, silence } from './replying.ts';

/** Posts the rendered template where the event came from. */
export const comment: Action = posting('comment');

/**
 * Posts the rendered template through the reply channel that the request brought (Slack's `response_url`); a comment
 * where there is none, or where it may no longer be used.
 */
export const respond: Action = posting('respond');

function posting(kind: 'comment' | 'respond'): Action {
  return {
    name: kind,
    reachesOut: true,
    usesTemplate: true,
    options: z.strictObject({}),

    async run(context) {
      const { posted } = await context.command.template.compiled();
      const content = posted(context.template);
      return outcome({ outgoing: mustReply(context, { kind, content }), note: silence(context.replies) });
    },
  };
}
