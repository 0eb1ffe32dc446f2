import { z } from 'zod';
import { type Action, outcome } from './action.ts';
import { checkSupported, mustReply, silence } from './replying.ts';

const options = z.strictObject({
  emoji: z
    .string()
    .regex(/^[a-z0-9_+-]{1,64}$/, 'expected the name of an emoji without colons, such as eyes or rocket')
    .default('eyes')
    .describe('Name of the emoji, without colons; default eyes.'),
});

/** Puts a reaction on the comment, or on what the event is about. */
export const react: Action = {
  name: 'react',
  reachesOut: true,
  usesTemplate: false,
  options,

  async run(context) {
    const { emoji } = options.parse(context.command.options);
    checkSupported(context.replies, 'react', context.webhook.providerName);
    return outcome({
      outgoing: mustReply(context, { kind: 'react', content: emoji }),
      note: silence(context.replies),
    });
  },
};
