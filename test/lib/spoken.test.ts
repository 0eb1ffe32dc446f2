import { describe, expect, it } from 'vitest';
import { spoken, unquoted } from '../../src/lib/spoken.ts';

const words = (text: string) => spoken(text).split(/\s+/).filter(Boolean);

describe('what a person says', () => {
  it.each([
    ['a plain sentence', 'please fix', ['please', 'fix']],
    ['a quoted line', '> please fix\nno', ['no']],
    ['a quote that is indented a little', '   > fix\nno', ['no']],
    ['a fenced block', 'a\n```js\nfix\n```\nb', ['a', 'b']],
    ['a fenced block with a longer fence inside', '~~~\n```\nfix\n```\n~~~\nb', ['b']],
    ['a fence that is never closed', 'a\n```\nfix', ['a']],
    ['a closing fence with words behind it, which closes nothing', '```\na\n``` b\nfix\n```\nc', ['c']],
    ['inline code', 'say `fix` or ``fi`x`` now', ['say', 'or', 'now']],
    ['a backtick without a partner', "don't ` fix", ["don't", '`', 'fix']],
    ['an indented block', 'a\n\n    fix\n\nb', ['a', 'b']],
    ['an indented line that continues a paragraph', 'a\n    b', ['a', 'b']],
    ['an HTML comment', 'a <!-- fix --> b', ['a', 'b']],
    ['an HTML comment that is never closed', 'a <!-- fix', ['a']],
    ['the mail that is answered', 'yes\n\nOn Mon, 3 Nov 2026, Ada <ada@example.com> wrote:\nfix', ['yes']],
    ['an Outlook reply', 'yes\n-----Original Message-----\nfix', ['yes']],
  ])('leaves out %s', (_, text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('keeps the length and every position', () => {
    const text = 'a `b` c\n> d\n```\ne\n```\nf';
    expect(spoken(text)).toHaveLength(text.length);
    expect(spoken(text).indexOf('f')).toBe(text.indexOf('f'));
  });

  it('leaves hidden comments in for those who look for a mark', () => {
    expect(unquoted('<!-- mark -->\n> <!-- quoted -->')).toContain('mark');
    expect(unquoted('> <!-- quoted -->')).not.toContain('quoted');
  });

  it.each([
    ['one run of backticks before a long line', '`'.repeat(32_000) + 'a'.repeat(33_000)],
    ['backticks one by one', '`a'.repeat(32_000)],
    ['runs of ever new lengths', Array.from({ length: 360 }, (_, index) => '`'.repeat(index + 1)).join('a')],
    ['spaces only', ' '.repeat(65_000)],
    ['open comments', '<!--'.repeat(16_000)],
    ['quotes and fences', '>\n```\n'.repeat(10_000)],
  ])('is not slowed down by %s', (_, text) => {
    for (let round = 0; round < 20; round++) spoken(text);
    // Twenty times 64 KB take some 50 ms; what grows with the square takes minutes.
  });
});
