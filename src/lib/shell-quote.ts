/** A text as one word of a POSIX shell, for lines that a person pastes. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command line that a person pastes: every word quoted where a shell would take it for something else. */
export function commandLine(...words: readonly string[]): string {
  return words.map(shellQuote).join(' ');
}
