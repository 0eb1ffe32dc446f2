import { z } from 'zod';
import { type Action, outcome } from './action.ts';
import { silence } from './replying.ts';

const target = z.url({ protocol: /^https?$/, error: 'expected a URL that starts with https:// or http://' });

const options = z.strictObject({
  urls: z
    .array(target)
    .min(1, 'expected at least one URL')
    .describe('Where to; each is sent and retried by itself.'),
  privateNetwork: z
    .boolean()
    .default(false)
    .describe('true: names in the URLs may lead into a private network.'),
});

/**
 * Posts the kept bytes with the kept headers to other places, signature included, so that they can verify it
 * themselves. At least once each: `X-Hookctl-Delivery` tells one that comes twice.
 */
export const forward: Action = {
  name: 'forward',
  reachesOut: true,
  usesTemplate: false,
  options,

  async run({ command, ids, replies }) {
    const { urls, privateNetwork } = options.parse(command.options);
    if (replies.state === 'silent') return outcome({ note: silence(replies) });
    return outcome({
      outgoing: urls.map((content) => ({
        id: ids.next('out'),
        kind: 'forward' as const,
        place: { host: null },
        content,
        edits: null,
        privateNetwork,
      })),
    });
  },
};
