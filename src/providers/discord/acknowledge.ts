import type { Ack, Parsed } from '../../types.ts';

/** Interaction callback types of Discord. */
const PONG = 1;
const DEFERRED_MESSAGE = 5;
const DEFERRED_UPDATE = 6;
const AUTOCOMPLETE_RESULT = 8;

/**
 * The answer that Discord wants within three seconds. Work takes longer: a command is answered with "thinking …", which
 * a reply replaces later; a button is only taken note of. Null where the request says nothing: the usual answer.
 */
export function acknowledge(_: unknown, parsed: Parsed): Ack | null {
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
