import { escapeInvisibleLine } from '../lib/text/escape-invisible.ts';
import type { Actor } from '../types.ts';

/**
 * By this header the CLI names its user, so that the audit tells a person at a terminal from a program with the
 * token. It is a claim: whoever has the token may write anything there, and may do anything anyway.
 */
const CLIENT_HEADER = 'x-hookctl-client';

const LONGEST = 100;

/** What the CLI sends; percent-encoded, because a user's name may hold what no header may. */
export function clientHeader({ name }: Actor): Readonly<Record<string, string>> {
  return { [CLIENT_HEADER]: encodeURIComponent(name) };
}

/** What is asked of a request. */
export interface Asking {
  readonly req: { header(name: string): string | undefined };
}

/** Who sent a request that had the token. */
export function actorOf({ req }: Asking): Actor {
  const client = decoded(req.header(CLIENT_HEADER) ?? '');
  return client === '' ? { kind: 'api', name: 'management token' } : { kind: 'cli', name: client };
}

function decoded(text: string): string {
  try {
    return escapeInvisibleLine(decodeURIComponent(text)).slice(0, LONGEST);
  } catch {
    return '';
  }
}
