import { preset } from '../generic/preset.ts';
import { textAt } from '../kit/payload.ts';
import { acknowledge } from './acknowledge.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';
import { samples } from './samples.ts';

/**
 * Discord, interactions over HTTP. The webhook's secret is the app's public key: hookctl can check but not sign, except
 * with a private key of its own (`whsk_…`), as `webhook add` makes one to try things out. Discord probes with bad
 * signatures now and then and takes the URL away if they do not get a 401. Source: discord.com/developers, "Receiving
 * and Responding to Interactions".
 */
export const discord = preset({
  name: 'discord',
  label: 'Discord',
  bodyLimit: 4 * 1024 * 1024,
  settings: {
    scheme: 'ed25519',
    timestamp: 'header:x-signature-timestamp',
    signedContent: '{timestamp}{body}',
  },
  webhook: null,
  samples,
  headers: () => ({ 'user-agent': 'Discord-Interactions/1.0 (+https://discord.com)' }),
  parse,
  acknowledge,
  authorOf: (payload) =>
    textAt(payload, 'member', 'user', 'global_name') ??
    textAt(payload, 'member', 'user', 'username') ??
    textAt(payload, 'user', 'username'),
  reply,
  formFields: ({ url, enterCommand }) => [
    { label: 'General Information › Interactions Endpoint URL', value: url },
    {
      label: 'General Information › Public Key',
      value: `made by Discord: ${enterCommand}`,
    },
  ],
});
