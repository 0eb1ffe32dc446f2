import type { JsonObject } from '../types.ts';

const PHRASES = ['new conversation', 'start fresh', 'new context', 'reset conversation'];

const ASKS = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${PHRASES.map(spaced).join('|')})(?![\\p{L}\\p{N}_])`, 'iu');

/**
 * Whether a person asked for a new conversation in what they typed. Only typed text is asked: an issue that merely
 * says "we should start fresh" must not break the chain.
 */
export function asksForNewConversation(typed: string): boolean {
  return ASKS.test(typed);
}

function spaced(phrase: string): string {
  return phrase.replaceAll(' ', '\\s+');
}

/**
 * Whether a task that is made by hand leaves its parent's conversation: the metadata decides where it says something,
 * else what was typed.
 */
export function startsNewConversation(typed: string, { new_conversation: asked }: JsonObject): boolean {
  return typeof asked === 'boolean' ? asked : asksForNewConversation(typed);
}
