import { stripVTControlCharacters } from 'node:util';
import { wrap } from '../../lib/text/wrap.ts';

/** Columns that every terminal has. */
const WIDTH = 80;
const HANG = '  ';

/** A word of a command line: what it quotes belongs to it, the punctuation of the sentence does not. */
const ARGUMENT = String.raw`(?:'[^']*'|\\'|[\w@%+=:./<>-]*[\w@%+=/<>-])+`;
/** A command line of hookctl in a message that asks to type it. */
const COMMAND = `(?<=^|: |See |\\()hookctl(?: ${ARGUMENT})+`;
/** What is between blanks; code in backticks and command lines stay in one piece. */
const WORD = new RegExp(`(?:\`[^\`]*\`|${COMMAND}|\\S)+`, 'g');

/** The pieces of a text between which a line may end; what is pasted stays in one piece. */
export function wordsOf(text: string): readonly string[] {
  return text.match(WORD) ?? [];
}

/** Lines for people, no wider than 80 columns but for a piece that is wider itself. */
export function wrapped(pieces: readonly string[], indent = ''): readonly string[] {
  return wrap(pieces, WIDTH - indent.length, HANG).map((line) => indent + line);
}

/** A text for people on a terminal: lines that are too wide are continued under their own indent. */
export function fitted(text: string): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const indent = /^ */.exec(line)?.[0] ?? '';
      return stripVTControlCharacters(line).length <= WIDTH ? [line] : wrapped(wordsOf(line), indent);
    })
    .join('\n');
}
