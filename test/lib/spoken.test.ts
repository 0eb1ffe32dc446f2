import { describe, expect, it } from 'vitest';
import { stripQuoted, unquoted } from '../../src/lib/text/index.ts';
import { growth, LINEAR } from '../support/growth.ts';

const words = (text: string) => stripQuoted(text).split(/\s+/).filter(Boolean);

describe('what a person says', () => {
  it.each([
    ['a plain sentence', 'please fix', ['please', 'fix']],
    ['a quoted line', '> please fix\n\nno', ['no']],
    ['a quote that is indented a little', '   > fix\n\nno', ['no']],
    ['a line that goes on with a quote', '> please fix\nit\n\nno', ['no']],
    ['a fenced block', 'a\n```js\nfix\n```\nb', ['a', 'b']],
    ['a fenced block with a longer fence inside', '~~~\n```\nfix\n```\n~~~\nb', ['b']],
    ['a fence that is never closed', 'a\n```\nfix', ['a']],
    ['a closing fence with words behind it, which closes nothing', '```\na\n``` b\nfix\n```\nc', ['c']],
    ['inline code', 'say `fix` or ``fi`x`` now', ['say', 'or', 'now']],
    ['a backtick without a partner', "don't ` fix", ["don't", '`', 'fix']],
    ['an indented block', 'a\n\n    fix\n\nb', ['a', 'b']],
    ['an indented line that continues a paragraph', 'a\n    b', ['a', 'b']],
    ['an HTML comment', 'a <!-- fix --> b', ['a', 'b']],
    ['an HTML comment that is never closed', 'a\n\n<!-- fix', ['a']],
    ['the mail that is answered', 'yes\n\nOn Mon, 3 Nov 2026, Ada <ada@example.com> wrote:\nfix', ['yes']],
    ['an Outlook reply', 'yes\n-----Original Message-----\nfix', ['yes']],
  ])('leaves out %s', (_, text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('keeps the length and every position', () => {
    const text = 'a `b` c\n> d\n```\ne\n```\nf';
    expect(stripQuoted(text)).toHaveLength(text.length);
    expect(stripQuoted(text).indexOf('f')).toBe(text.indexOf('f'));
  });

  it('leaves hidden comments in for those who look for a mark', () => {
    expect(unquoted('<!-- mark -->\n> <!-- quoted -->')).toContain('mark');
    expect(unquoted('> <!-- quoted -->')).not.toContain('quoted');
  });

  it.each([
    ['one run of backticks before a long line', (n: number) => '`'.repeat(n) + 'a'.repeat(n)],
    ['backticks one by one', (n: number) => '`a'.repeat(n)],
    ['runs of ever new lengths', (n: number) => runs(Math.sqrt(n))],
    ['spaces only', (n: number) => ' '.repeat(n)],
    ['open comments', (n: number) => '<!--'.repeat(n)],
    ['quotes and fences', (n: number) => '>\n```\n'.repeat(n)],
  ])('takes time in proportion to the length: %s', (_, build) => {
    expect(growth((times) => void stripQuoted(build(times)), 16_000)).toBeLessThan(LINEAR);
  });
});

function runs(most: number): string {
  return Array.from({ length: most }, (_, index) => '`'.repeat(index + 1)).join('a');
}
