import { z } from 'zod';
import { type Action, outcome } from './action.ts';
import { checkSupported, mustReply, silence } from './replying.ts';

const options = z.strictObject({
  labels: z
    .array(z.string().min(1).max(255))
    .min(1, 'expected at least one label')
    .describe('Labels to add; those that are there already stay.'),
});

/** Adds labels to the issue or pull request. They are fixed text: a payload never chooses them. */
export const label: Action = {
  name: 'label',
  reachesOut: true,
  usesTemplate: false,
  options,

  async run(context) {
    const { labels } = options.parse(context.command.options);
    checkSupported(context.replies, 'label', context.webhook.providerName);
    return outcome({
      outgoing: labels.flatMap((content) => mustReply(context, { kind: 'label', content })),
      note: silence(context.replies),
    });
  },
};
