import { expect, test } from 'vitest';
import { textSpans } from '../../../src/lib/text/index.ts';
import { shownAs } from '../../support/gfm-oracle.ts';
import { type Random, randomOf, SEED } from '../../support/random.ts';

/** `npm test` compares this many texts; `TEXT_DOCUMENTS` compares more. */
const TEXTS = Number(process.env.TEXT_DOCUMENTS ?? 1_000);

const INDENTS = ['', '', '', '', ' ', '  ', '   ', '    ', '     ', '      ', '\t', '        '];
const MARKERS = ['> ', '>', '- ', '* ', '1. ', '2. ', '10) ', '+   ', '-', '- - ', '>> ', '-\t', '[^n]: '];
const PIECES = [
  ...[
    'x',
    'a b',
    '',
    '',
    '',
    '# h',
    '## ',
    '```',
    '````',
    '~~~',
    '``` js',
    '---',
    '***',
    '===',
    '-',
    '*a',
    'b*',
    '_c_',
  ],
  ...[
    '| a | b |',
    '| - | - |',
    '|-|',
    'a | b',
    '`',
    '``',
    'a ` b',
    'x `y` z',
    '\\`',
    '[l]: /u',
    '[l]: /u "t',
    't"',
  ],
  ...['[a', '](b)', '![a', '&lt;', '- [ ] t', '[l]', 'http://x.y/', '(c)', '!'],
];
const HTML = [
  ...[
    '<div>',
    '</div>',
    '<blockquote>',
    '<pre>',
    '</pre>',
    '<code>',
    '</code>',
    '<!--',
    '-->',
    '<!-- c -->',
    '<b>',
    '</b>',
  ],
  ...[
    '<details>',
    '<summary>',
    '<a href="x">',
    '<script>',
    '</script>',
    '<p>',
    '</p>',
    '<br>',
    '<http://a.b/>',
    '>',
  ],
];

function lineOf(random: Random, hasMention: boolean): string {
  const marker = () => (random.below(100) < 30 ? random.pick(MARKERS) : '');
  const pieces = Array.from({ length: 1 + random.below(2) }, () =>
    random.pick(random.below(4) === 0 ? HTML : PIECES),
  );
  const words = pieces.join(random.pick(['', ' ']));
  const said = random.pick([`@agent fix ${words}`, `${words} @agent fix`, '@agent fix']);
  return random.pick(INDENTS) + marker() + marker() + (hasMention ? said : words);
}

function textOf(random: Random): string {
  const count = 2 + random.below(4);
  const mention = random.below(count);
  const lines = Array.from({ length: count }, (_, index) => lineOf(random, index === mention));
  if (lines.some((line) => line.includes('[^n]:'))) lines.push('', '', 'see [^n]');
  return lines.join('\n');
}

/**
 * Where browsers repair HTML that is not nested within Markdown's own containers, and where footnotes move their text, a mark and the
 * place where it shows are no longer one.
 */
function isRepaired(text: string): boolean {
  const hasQuote = /^[^`]*>/m.test(text.replace(/<[^>\n]*>/g, ''));
  const footnotes = text.split('[^n]:').length - 1;
  return (
    (footnotes > 0 && (hasQuote || text.includes('<') || footnotes > 1)) ||
    (hasQuote && text.includes('<blockquote>')) ||
    (text.includes('![') && text.includes('<code>'))
  );
}

test(`what GFM shows as quote, as code or not at all is not spoken, and all else is (${TEXTS} texts, seed ${SEED})`, () => {
  const random = randomOf(SEED);
  const wrong: string[] = [];
  let compared = 0;
  while (compared < TEXTS) {
    const text = textOf(random);
    const shown = isRepaired(text) ? null : shownAs(text, '@agent');
    if (shown === null) continue;
    compared += 1;
    const at = text.indexOf('@agent');
    const found = textSpans(text, 'markdown').find(({ from, to }) => from <= at && at < to)?.kind ?? 'spoken';
    if ((found === 'spoken') !== (shown === 'spoken'))
      wrong.push(`${shown}, found ${found}: ${JSON.stringify(text)}`);
  }
  expect(wrong.slice(0, 20)).toEqual([]);
});
