import { z } from 'zod';
import { type Action, outcome } from './action.ts';
import { mustReply, silence } from './replying.ts';

/** Posts the rendered template where the event came from. */
export const comment: Action = {
  name: 'comment',
  reachesOut: true,
  usesTemplate: true,
  options: z.strictObject({}),

  async run(context) {
    const content = context.command.template.posted(context.template);
    return outcome({
      outgoing: mustReply(context, { kind: 'comment', content }),
      note: silence(context.replies),
    });
  },
};
