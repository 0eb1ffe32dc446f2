import { expect, test } from 'vitest';
import { LONGEST_TEXT } from '../../../src/lib/text/index.ts';
import { findMention } from '../../../src/lib/text/mention.ts';
import type { TextFormat } from '../../../src/types.ts';
import { growth, LINEAR } from '../../support/growth.ts';

/** Shapes in which parsers read the same characters again and again. */
const SHAPES: readonly (readonly [name: string, piece: string])[] = [
  ['quotes in quotes', '> '],
  ['items in items', '- '],
  ['items in items, line by line', '- a\n '],
  ['brackets that open', '['],
  ['links that do not end', '[a](b'],
  ['links with titles that do not end', '[a](b "'],
  ['images in images', '![a]('],
  ['definitions', '[a]: b\n"'],
  ['references', '[a][b] '],
  ['tags that do not end', '<a b="'],
  ['tags with many attributes', '<a b c d '],
  ['tags that end', '<b>'],
  ['comments that do not end', '<!--'],
  ['instructions that do not end', '<?'],
  ['elements in elements', '<blockquote>\n\n'],
  ['rows', '| a | b |\n| - | - |\n'],
  ['cells', '|-'],
  ['footnotes', '[^a]: b\n'],
  ['emphasis', '*a _b '],
  ['backslashes', '\\'],
  ['backticks of two lengths', '`a``b'],
  ['macros', '{code}'],
  ['macros that do not end', '{quote:'],
  ['monospace that does not end', '{{a'],
  ['addresses', 'a://b,'],
  ['mail headers', 'From: a\nSent: b\n\n> c\n\n'],
  ['sentences that could introduce mail', 'On a@b wrote\n:\n'],
  ['mentions in quotes', '> @agent\n\n'],
  ['mentions within words', '@agent@'],
  ['carriage returns', '\r'],
  ['blank lines in items', '- a\n\n\n'],
  ['tabs', '\t'],
  ['dollars', '$'],
  ['formulas that do not end', '$a '],
  ['formulas', '$$a'],
  ['pictures that do not end', '!a.b|'],
];
const FORMATS: readonly TextFormat[] = ['gitlab', 'mrkdwn', 'jira-wiki'];

test.each(SHAPES)('the time for %s grows with their length', (_, piece) => {
  for (const format of FORMATS) {
    const search = (length: number) => {
      const text = `${piece.repeat(length / piece.length)}\n\n> @agent fix`;
      findMention(text, format, '@agent');
    };
    expect(growth(search, 8_000), format).toBeLessThan(LINEAR);
  }
});

test('a text of 5 MB and the longest text that is searched take less than 3 seconds', () => {
  const every = SHAPES.map(([, piece]) => piece).join('');
  for (const piece of [every, '- a\n\n\n']) {
    const longest = `${piece.repeat(Math.floor((LONGEST_TEXT - 20) / piece.length))}\n@agent fix`;
    for (const text of [longest, piece.repeat(5_000_000 / piece.length)]) {
      const from = process.cpuUsage();
      findMention(text, 'gitlab', '@agent');
      const { user, system } = process.cpuUsage(from);
      expect((user + system) / 1e6, JSON.stringify(piece)).toBeLessThan(3);
    }
  }
});
