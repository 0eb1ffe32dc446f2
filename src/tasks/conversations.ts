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
