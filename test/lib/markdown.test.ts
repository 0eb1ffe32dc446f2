import { describe, expect, test } from 'vitest';
import { toAdf } from '../../src/providers/jira/adf.ts';
import { toWiki } from '../../src/providers/jira/reply.ts';
import { toMrkdwn } from '../../src/providers/slack/reply.ts';
import { growth, LINEAR } from '../support/growth.ts';

const MARKDOWN = [
  '# Result',
  '',
  'Fixed **two** bugs in `login()`, see [the log](https://example.com/log?a=1&b=2).',
  'Second line.',
  '',
  '- one',
  '  - *inner*',
  '1. first',
  '',
  '> quoted',
  '',
  '```ts',
  'if (a < b) { **no** }',
  '```',
].join('\n');

test('Markdown becomes Slack’s mrkdwn', () => {
  expect(toMrkdwn(MARKDOWN)).toBe(
    [
      '*Result*',
      'Fixed *two* bugs in `login()`, see <https://example.com/log?a=1&amp;b=2|the log>.',
      'Second line.',
      '',
      '• one',
      '    • _inner_',
      '1. first',
      '> quoted',
      '```',
      'if (a &lt; b) { **no** }',
      '```',
    ].join('\n'),
  );
});

test('Markdown becomes Jira’s wiki text', () => {
  expect(toWiki(MARKDOWN)).toBe(
    [
      'h1. Result',
      'Fixed *two* bugs in {{login()}}, see [the log|https://example.com/log?a=1&b=2].',
      'Second line.',
      '',
      '* one',
      '** _inner_',
      '# first',
      'bq. quoted',
      '{noformat}',
      'if (a < b) { **no** }',
      '{noformat}',
    ].join('\n'),
  );
});

test('Markdown becomes ADF', () => {
  const nodes = toAdf(MARKDOWN);
  expect(nodes.map(({ type }) => type)).toEqual([
    'heading',
    'paragraph',
    'bulletList',
    'bulletList',
    'orderedList',
    'blockquote',
    'codeBlock',
  ]);
  expect(nodes[1]).toMatchObject({
    content: [
      { text: 'Fixed ' },
      { text: 'two', marks: [{ type: 'strong' }] },
      { text: ' bugs in ' },
      { text: 'login()', marks: [{ type: 'code' }] },
      { text: ', see ' },
      { text: 'the log', marks: [{ type: 'link', attrs: { href: 'https://example.com/log?a=1&b=2' } }] },
      { text: '.' },
      { type: 'hardBreak' },
      { text: 'Second line.' },
    ],
  });
  expect(nodes[6]).toEqual({
    type: 'codeBlock',
    attrs: { language: 'ts' },
    content: [{ type: 'text', text: 'if (a < b) { **no** }' }],
  });
});

describe('text from outside', () => {
  test('mentions no one in Slack', () => {
    expect(toMrkdwn('<!channel> <@U1> [x](https://e.com/|<!here>)')).not.toMatch(/<[!@]/);
  });

  test('makes no macro, mention or image in Jira', () => {
    expect(toWiki('{code} [~admin] !http://x/y.png! {noformat}')).toBe(
      '\\{code\\} \\[\\~admin\\] \\!http://x/y.png\\! \\{noformat\\}\n',
    );
    expect(toWiki('```\n{noformat} [~admin]\n```').match(/^\{noformat\}$/gm)).toHaveLength(2);
  });

  test.each(['`', '*', '[', '~~', '_', '**a', '[a](', '- ', '```\n', 'a\n'])(
    'F18: the time that %j takes grows with its number, on one line and on many',
    (text) => {
      const convert = (times: number) => {
        toMrkdwn(text.repeat(times));
        toMrkdwn(`${text.repeat(300)}\n`.repeat(times / 300));
      };
      expect(growth(convert, 6_000)).toBeLessThan(LINEAR);
    },
  );

  test('loses no words', () => {
    const text = 'a | b * c _ d ~ e\n\n***\n\n####### seven\n\n```\nopen';
    for (const word of ['a', 'b', 'c', 'd', 'e', 'seven', 'open']) expect(toWiki(text)).toContain(word);
  });
});
