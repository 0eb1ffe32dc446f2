import type { Ack, Parsed, Provider } from '../../types.ts';
import { textAt } from '../kit/payload.ts';
import { createProvider } from '../provider.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';

/** Interaction callback types of Discord. */
const PONG = 1;
const DEFERRED_MESSAGE = 5;
const DEFERRED_UPDATE = 6;
const AUTOCOMPLETE_RESULT = 8;

/**
 * The answer that Discord wants within three seconds. Work takes longer: a command is answered with "thinking …", which
 * a reply replaces later; a button is only taken note of. Null where the request says nothing: the usual answer.
 */
function acknowledge(_: unknown, parsed: Parsed): Ack | null {
  if (!parsed.ok) return null;
  switch (parsed.events[0]?.type) {
    case 'ping':
      return answer({ type: PONG });
    case 'application_command':
    case 'modal_submit':
      return answer({ type: DEFERRED_MESSAGE });
    case 'message_component':
      return answer({ type: DEFERRED_UPDATE });
    case 'application_command_autocomplete':
      return answer({ type: AUTOCOMPLETE_RESULT, data: { choices: [] } });
    default:
      return null;
  }
}

function answer(body: object): Ack {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/**
 * Discord, interactions over HTTP. The webhook's secret is the app's public key: hookctl can check but not sign, except
 * with a private key of its own (`whsk_…`), as `webhook add` makes one to try things out. Discord probes with bad
 * signatures now and then and takes the URL away if they do not get a 401. Source: discord.com/developers, "Receiving
 * and Responding to Interactions".
 */
export const discord: Provider = createProvider({
  name: 'discord',
  bodyLimit: 4 * 1024 * 1024,
  signature: {
    scheme: 'ed25519',
    timestamp: 'header:x-signature-timestamp',
    signedContent: '{timestamp}{body}',
  },
  // The command itself is the prefix.
  spelling: (text) => (text ?? '').replace(/^@\w+\s+/, ''),
  headers: () => ({ 'user-agent': 'Discord-Interactions/1.0 (+https://discord.com)' }),
  parse,
  acknowledge,
  authorOf: (payload) =>
    textAt(payload, 'member', 'user', 'global_name') ??
    textAt(payload, 'member', 'user', 'username') ??
    textAt(payload, 'user', 'username'),
  reply,
  form: ({ url, enterCommand }) => ({
    'General Information › Interactions Endpoint URL': url,
    'General Information › Public Key': `made by Discord: ${enterCommand}`,
  }),
});
