import { shellQuote } from '../../lib/shell-quote.ts';
import { commands } from '../index.ts';

/** `init` writes into the folder in which it is typed. */
const NAMES = commands.flatMap(({ name }) => (name === 'init' ? [] : [name])).join('|');

/** A command line in a text, up to the name of the command, which names no configuration and is no question for help. */
const COMMAND = new RegExp(`\\bhookctl (?=(?:${NAMES})\\b(?![^\\n\`]*--(?:config|help)\\b))`, 'g');

/** Repeats the `--config` of a command line in those that a text tells to type; null when it has none. */
export function configRepeater(argv: readonly string[]): ((text: string) => string) | null {
  const at = argv.findIndex((word) => word === '--config' || word.startsWith('--config='));
  const file = argv[at]?.split('--config=')[1] ?? argv[at + 1];
  if (at === -1 || file === undefined) return null;
  return (text) => text.replace(COMMAND, () => `hookctl --config ${shellQuote(file)} `);
}
