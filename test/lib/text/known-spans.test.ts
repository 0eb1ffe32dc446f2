import { expect, test } from 'vitest';
import { textSpans } from '../../../src/lib/text/index.ts';
import { findMention } from '../../../src/lib/text/mention.ts';
import { adfToText } from '../../../src/providers/jira/adf.ts';
import type { JsonObject, TextFormat, TextSpan } from '../../../src/types.ts';
import { type Random, randomOf, SEED } from '../../support/random.ts';

/** `npm test` makes this many documents for each dialect; `TEXT_DOCUMENTS` makes more. */
const DOCUMENTS = Number(process.env.TEXT_DOCUMENTS ?? 10_000);

type Kind = TextSpan['kind'] | 'spoken';
/** A block with `@agent` at a place of known kind. */
type Place = readonly [kind: Kind, block: string];

interface Dialect {
  readonly places: readonly Place[];
  /** Blocks without a mention, some of them with marks that are not closed. */
  readonly noise: readonly string[];
  /** Puts a block into a container; the kind may change by it. */
  readonly nest: (place: Place, random: Random) => Place;
}

const MARKDOWN_NOISE = [
  'Some words.',
  'It`s broken.',
  'a ``b',
  'two\nlines',
  '- one\n- two',
  '1. one\n   - two\n\n     three',
  '> quoted\n> more',
  '```js\nif (a < b) { `c` }\n```',
  '~~~\n> no quote\n~~~',
  '# A heading',
  'Under\n-----',
  '***',
  '| a | b` |\n| --- | --- |\n| `c | d |',
  'so:\n\n    indented <!-- code',
  '[label]: https://x.example "title"',
  'see [label] and https://x.example/y',
  'an *emphasis and _another',
  '1 < 2 > 0',
  'On Friday Bob wrote:',
  'From: the log',
  '\\`escaped\\` \\<!--',
];
const SPOKEN = [
  '@agent fix it',
  'Hello,@agent fix it',
  '**@agent** fix it',
  '_@agent_ fix it',
  '[@agent](https://x.example) fix it',
  'It`s so. @agent fix it',
  '(@agent fix it)',
  'a `b` @agent fix `c`',
  'two\nlines @agent fix it\nof three',
  '# @agent fix it',
  '| a | b |\n| - | - |\n| @agent fix | c |',
  '- a\n- @agent fix it',
  '- a\n\n  @agent fix it',
  '1) a\n   1) @agent fix it',
] as const;
const CODE = [
  '```\n@agent fix it\n```',
  '~~~ sh\n```\n@agent fix it\n~~~',
  'so:\n\n    @agent fix it',
  '## So\n    @agent fix it',
  'write `@agent fix it`',
  'write ``a ` @agent fix it``',
  'write `a\n@agent fix it` so',
  '- ```\n  @agent fix it\n  ```',
  '- a\n\n      @agent fix it',
  '| a | b |\n| - | - |\n| `@agent fix` | c |',
] as const;
const HIDDEN = [
  '![@agent fix](a.png)',
  '<https://x.example/@agent>',
  '[//]: # (@agent fix)',
  'see https://x.example/@agent',
];
const HTML_PLACES: readonly Place[] = [
  ['spoken', '<!-- note --> @agent fix it'],
  ['spoken', 'a <!-- note --> @agent fix it'],
  ['spoken', '<details>\n<summary>a</summary>\n\n@agent fix it\n\n</details>'],
  ['spoken', '<b>@agent</b> fix it'],
  ['quoted', '<blockquote>\n@agent fix it\n</blockquote>'],
  ['quoted', '<blockquote>\n\n@agent fix it\n\n</blockquote>'],
  ['code', '<pre>\n\n@agent fix it\n</pre>'],
  ['code', 'a <code>@agent fix it</code>'],
  ['hidden', '<!-- @agent fix it -->'],
  ['hidden', 'a <!-- b\n@agent fix it -->'],
  ['hidden', '<!--\n\n@agent fix it\n\n-->'],
  ['hidden', '<img alt="@agent fix it">'],
  ['spoken', 'for $5 @agent fix it, not $6'],
  ['code', 'so $a @agent fix it$ is'],
  ['code', '$$\n@agent fix it\n$$'],
];
const places = (kind: Kind, blocks: readonly string[]) => blocks.map((block): Place => [kind, block]);
const MARKDOWN_PLACES: readonly Place[] = [
  ...places('spoken', SPOKEN),
  ...places('code', CODE),
  ...places('hidden', HIDDEN),
  ...places('quoted', [
    '> @agent fix it',
    '> a\n>\n> - @agent fix it',
    '> a\n@agent fix it',
    '- > @agent fix it',
  ]),
];

function nestMarkdown([kind, block]: Place, random: Random): Place {
  const lines = (first: string, rest: string) =>
    block
      .split('\n')
      .map((line, index) => (index === 0 ? first : line === '' ? '' : rest) + line)
      .join('\n');
  switch (random.below(5)) {
    case 0:
      return [kind, lines('- ', '  ')];
    case 1:
      return [kind, lines('10. ', '    ')];
    case 2:
      return [kind, `* before\n\n${lines('  ', '  ')}`];
    case 3:
      return ['quoted', lines('> ', '> ').replaceAll('\n\n', '\n>\n')];
    default:
      return [kind, `> before\n\n${block}`];
  }
}

const markdown: Dialect = { places: MARKDOWN_PLACES, noise: MARKDOWN_NOISE, nest: nestMarkdown };
const withHtml: Dialect = { ...markdown, places: [...MARKDOWN_PLACES, ...HTML_PLACES] };
const shownHtml: Dialect = {
  ...markdown,
  places: [
    ...MARKDOWN_PLACES,
    ...places('spoken', [
      '<!-- @agent fix it -->',
      '<blockquote>\n@agent fix it\n</blockquote>',
      '<!--\n\n@agent fix it',
    ]),
  ],
};

const DIALECTS: Readonly<Record<TextFormat, Dialect>> = {
  markdown: withHtml,
  gitlab: {
    ...withHtml,
    places: [
      ...withHtml.places,
      ['quoted', '>>>\n@agent fix it\n\nmore\n>>>'],
      ['quoted', '>>>\na\n\n- b\n\n  @agent fix it\n\n>>>'],
      ['spoken', '>>>\n```\n\n>>>\n\n@agent fix it'],
    ],
    noise: [...MARKDOWN_NOISE, '>>>\nquoted\n\n> `more\n>>>'],
    // A fence that quotes is no fence within a quote of GitLab's older versions.
    nest: (place, random) => (place[1].includes('>>>') ? place : nestMarkdown(place, random)),
  },
  bitbucket: shownHtml,
  linear: shownHtml,
  mrkdwn: {
    places: [
      ...places('spoken', [
        '@agent fix it',
        '*@agent* fix it',
        'it`s so, @agent fix it',
        '```a\nb``` @agent fix it',
        '`a` @agent fix it',
        '> quoted\n@agent fix it',
        '<!-- @agent fix it',
        '    @agent fix it',
        '~~~\n@agent fix it\n~~~',
      ]),
      ...places('code', [
        '```@agent fix it```',
        'a ```b\n@agent fix it\nc``` d',
        'write `@agent fix` so',
        '```\n> @agent\n```',
      ]),
      ...places('quoted', ['> @agent fix it', '> a\n> @agent fix it', '> ```@agent fix it']),
      ...places('hidden', ['see https://x.example/@agent']),
    ],
    noise: [
      'Some words.',
      'it`s',
      '> quoted',
      '```code\n> and more```',
      'a `b` c',
      '<!--',
      '# no heading',
      '    no code',
    ],
    nest: ([kind, block], random) =>
      random.below(2) === 0 && kind === 'spoken' && !block.includes('\n')
        ? ['quoted', `> ${block}`]
        : [kind, `• a\n${block}`],
  },
  'jira-wiki': {
    places: [
      ...places('spoken', [
        '@agent fix it',
        '*@agent* fix it',
        'it`s so, @agent fix it',
        '```\n@agent fix it\n```',
        '> @agent fix it',
        '[@agent|https://x.example] fix it',
        '{color:red}@agent fix it{color}',
        '{panel:title=a}\n@agent fix it\n{panel}',
        'bq. quoted\n@agent fix it',
        '\\{quote} @agent fix it',
        '{{quote}} @agent fix it',
        '|a|@agent fix it|',
      ]),
      ...places('code', [
        '{code}\n@agent fix it\n{code}',
        '{code:title=a|b}@agent{code}',
        '{noformat}\n{code}\n@agent\n{noformat}',
        'a {{@agent fix}} b',
      ]),
      ...places('quoted', [
        '{quote}\n@agent fix it\n{quote}',
        'bq. @agent fix it',
        '{quote}a\n\nb @agent fix it{quote}',
      ]),
      ...places('hidden', [
        '{panel:title=@agent fix}\na\n{panel}',
        '[a|https://x.example/@agent]',
        'see https://x.example/@agent',
      ]),
    ],
    noise: [
      'Some words.',
      'it`s',
      'h1. Heading',
      'bq. quoted',
      '{quote}a{quote}',
      '{code}a {quote} b{code}',
      '{{a}}',
      '[a|b]',
      '{a',
      '* item',
      '<!--',
    ],
    nest: ([kind, block], random) => {
      const inList = random.below(2) === 0 && !block.includes('bq.');
      return [
        kind,
        inList
          ? `* ${block}`
          : `{panel}
${block}
{panel}`,
      ];
    },
  },
  plain: {
    places: [
      ...places('spoken', [
        '@agent fix it',
        '`@agent` fix it',
        '```\n@agent fix it\n```',
        '<!-- @agent fix it -->',
        '    @agent fix it',
        '> a\n@agent fix it',
      ]),
      ...places('quoted', ['> @agent fix it', '> a\n>> @agent fix it']),
      ...places('hidden', ['see https://x.example/@agent']),
    ],
    noise: ['Some words.', '> quoted', '`', '```', 'From: the log'],
    nest: (place) => place,
  },
};

/** Documents end in a mail now and then, whose words are quoted whatever they are. */
const MAIL = [
  'On Mon, 3 Nov 2026 at 10:00, Bob <bob@acme.example> wrote:',
  'Von: Bob <bob@acme.example>\nGesendet: Montag',
  '-----Original Message-----',
];

function documentOf(dialect: Dialect, random: Random): Place {
  let place = random.pick(dialect.places);
  for (let depth = random.below(4); depth > 0; depth -= 1) place = dialect.nest(place, random);
  const some = (most: number) => Array.from({ length: random.below(most) }, () => random.pick(dialect.noise));
  const before = some(4);
  const [kind, block] = place;
  if (random.below(12) === 0 && !/^ *(?:[>*•-]|\d|\{quote|bq)/.test(block)) {
    return [kind === 'spoken' ? 'quoted' : kind, [...before, 'So.', random.pick(MAIL), block].join('\n\n')];
  }
  // A list takes in what is indented below it; words that are not, end it.
  return [kind, [...before, 'So.', block, ...some(3)].join('\n\n')];
}

test.each(Object.entries(DIALECTS))(
  `%s: in ${DOCUMENTS} documents each mention is known for what it is (seed ${SEED})`,
  (format, dialect) => {
    const random = randomOf(SEED);
    const wrong: string[] = [];
    for (let index = 0; index < DOCUMENTS; index += 1) {
      const [kind, text] = documentOf(dialect, random);
      const found = kindIn(text, format as TextFormat);
      // A quote in code, or code in a quote, is either; that it is not spoken is what counts.
      if ((found === 'spoken') !== (kind === 'spoken'))
        wrong.push(`${kind}, found ${found}: ${JSON.stringify(text)}`);
    }
    expect(wrong.slice(0, 5)).toEqual([]);
  },
);

function kindIn(text: string, format: TextFormat): Kind {
  const { mention } = findMention(text, format, '@agent');
  if (mention !== null) return 'spoken';
  const at = text.indexOf('@agent');
  return textSpans(text, format).find(({ from, to }) => from <= at && at < to)?.kind ?? 'spoken';
}

const node = (type: string, ...content: JsonObject[]): JsonObject => ({ type, content });
const say = (text: string, ...marks: string[]): JsonObject => ({
  type: 'text',
  text,
  marks: marks.map((type) => ({ type })),
});

/** A node with the mention, whether it is spoken, and text around it that means nothing in ADF. */
function adfOf(random: Random): { readonly isSpoken: boolean; readonly doc: JsonObject } {
  const isCode = random.below(4) === 0;
  let isSpoken = !isCode;
  let inner = node(
    'paragraph',
    say('it`s '),
    say('@agent fix it', ...(isCode ? ['strong', 'code'] : ['em'])),
  );
  if (random.below(5) === 0) {
    inner = node('codeBlock', say('@agent fix it'));
    isSpoken = false;
  }
  for (let depth = random.below(5); depth > 0; depth -= 1) {
    const type = random.pick(['listItem', 'bulletList', 'panel', 'expand', 'tableCell', 'blockquote']);
    if (type === 'blockquote') isSpoken = false;
    inner = node(type, node('paragraph', say(random.pick(['a', '> ', '```', '<!--', '`']))), inner);
  }
  const noise = () =>
    node(random.pick(['paragraph', 'blockquote', 'codeBlock']), say(random.pick(['b', '```', '> c', '`'])));
  return { isSpoken, doc: node('doc', noise(), inner, noise()) };
}

test(`ADF: in ${DOCUMENTS} documents each mention is known for what it is (seed ${SEED})`, () => {
  const random = randomOf(SEED);
  const wrong: string[] = [];
  for (let index = 0; index < DOCUMENTS; index += 1) {
    const { isSpoken, doc } = adfOf(random);
    const { text, textFormat } = adfToText(doc);
    if ((findMention(text, textFormat, '@agent').mention !== null) !== isSpoken)
      wrong.push(JSON.stringify(doc));
  }
  expect(wrong.slice(0, 5)).toEqual([]);
});
