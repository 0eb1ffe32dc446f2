import { describe, expect, test } from 'vitest';
import { HookctlError } from '../../src/errors.ts';
import { compileTemplate } from '../../src/templates/template.ts';
import { compile, contextOf, fenced, plain } from './template-context.ts';

describe('hostile templates are refused or harmless', () => {
  test.each([
    '{{constructor}}',
    '{{constructor.constructor}}',
    '{{__proto__}}',
    '{{issue.__proto__.toString}}',
    '{{issue.constructor.name}}',
    '{{issue.title.constructor}}',
    '{{#with issue.constructor}}x{{/with}}',
    '{{#each __proto__}}x{{/each}}',
    '{{issue.[constructor]}}',
    '{{@root.constructor}}',
    '{{json constructor}}',
    '{{lookup issue "constructor"}}',
    '{{lookup (lookup this "x") "y"}}',
    '{{log "x"}}',
    '{{#log issue}}{{/log}}',
    '{{helperMissing issue}}',
    '{{blockHelperMissing issue}}',
    '{{#blockHelperMissing issue}}x{{/blockHelperMissing}}',
    '{{#helperMissing}}x{{/helperMissing}}',
    '{{> p}}',
    '{{> (lookup . "x")}}',
    '{{#> p}}x{{/p}}',
    '{{>@partial-block}}',
    '{{#*inline "a"}}{{> a}}{{/inline}}{{> a}}',
    '{{* decorator}}',
    '{{"constructor" issue}}',
    '{{#if (constructor x)}}{{/if}}',
    '{{toString x}}',
    '{{hasOwnProperty "x"}}',
    '{{#hasOwnProperty x}}x{{/hasOwnProperty}}',
    '{{@event.payload}}',
  ])('%s', (source) => expect(compileTemplate(source).ok).toBe(false));

  test.each(['{{issue.toString}}', '{{issue.labels.join}}', '{{helperMissing}}', '{{issue.title.length}}'])(
    '%s renders empty',
    (source) => expect(plain(source)).toBe(''),
  );

  test('a syntax tree in place of a text', () => {
    const tree = { type: 'Program', body: [{ type: 'MustacheStatement', path: 'x' }] };
    for (const source of [tree, [tree], null, 5, undefined, () => 'x']) {
      expect(compileTemplate(source as unknown as string)).toEqual({
        ok: false,
        message: 'a template must be a text',
      });
    }
  });

  test.each([
    ['nested blocks', '{{#if a}}'.repeat(5000) + '{{/if}}'.repeat(5000)],
    ['blocks that are never closed', '{{#if a}}'.repeat(5000)],
    ['nested inverse blocks', '{{^if a}}'.repeat(5000) + '{{/if}}'.repeat(5000)],
    ['nested calls', `{{upper ${'(upper '.repeat(5000)}a${')'.repeat(5000)}}}`],
    ['a template of 10 MB', '{{#if a}}x{{/if}}'.repeat(600_000)],
  ])('%s are refused before they cost minutes', (_, source) => {
    expect(compileTemplate(source).ok).toBe(false);
  });

  test('many blocks side by side, and else written as ^, are no nesting', () => {
    expect(plain('{{#if issue.body}}a{{^}}b{{/if}}'.repeat(100))).toBe('b'.repeat(100));
  });

  test('a payload whose fields are called like methods renders', () => {
    const payload = { issue: { toString: 1, valueOf: 'x', hasOwnProperty: 2, toJSON: 3, length: 4 } };
    expect(plain('{{issue}}|{{issue.valueOf}}|{{json issue}}', payload)).toContain('|x|');
  });

  test('nothing is added to the Handlebars that others use', async () => {
    compile('{{json issue}}').plain(contextOf());
    const { default: Handlebars } = await import('handlebars');
    expect(Object.keys(Handlebars.helpers)).not.toContain('json');
    expect(Object.keys(Handlebars.helpers)).toContain('lookup');
  });
});

describe('limits', () => {
  const many = (count: number) => Array.from({ length: count }, () => 1);
  const codeOf = (render: () => string) => {
    try {
      return render().length;
    } catch (error) {
      return error instanceof HookctlError ? error.code : error;
    }
  };

  test('10,000 turns of each pass, one more does not', () => {
    const source = '{{#each list}}x{{/each}}';
    expect(codeOf(() => plain(source, { list: many(10_000) }))).toBe(10_000);
    expect(codeOf(() => plain(source, { list: many(10_001) }))).toBe('template_too_large');
  });

  test('F15: each counts a list before it copies one, so that a million items cost no more than ten thousand', () => {
    const source = '{{#each list}}x{{/each}}';
    expect(codeOf(() => plain(source, { list: many(1_000_000) }))).toBe('template_too_large');
    // Counted in items, not in time: other programs only add to a time.
    let asked = 0;
    const list = many(1_000_000);
    const counted = new Proxy(list, {
      get(target, name, self) {
        asked += 1;
        return Reflect.get(target, name, self);
      },
    });
    codeOf(() => plain(source, { list: counted }));
    expect(asked).toBeLessThan(11_000);
    expect(plain('{{list.length}} {{list.[9999]}}', { list: many(20_000) })).toBe('20000 1');
    expect(codeOf(() => plain(source, { list: Object.fromEntries(many(10_001).entries()) }))).toBe(
      'template_too_large',
    );
  });

  test('a hundred million nested turns are refused', () => {
    const source =
      '{{#each l}}{{#each ../l}}{{#each ../../l}}{{#each ../../../l}}x{{/each}}{{/each}}{{/each}}{{/each}}';
    expect(codeOf(() => fenced(source, { l: many(100) }))).toBe('template_too_large');
  });

  test('1 MB of output, by values, by turns, and by hidden characters that grow when shown', () => {
    const text = 'x'.repeat(400_000);
    expect(codeOf(() => plain('{{t}}{{t}}', { t: text }))).toBe(800_000);
    expect(codeOf(() => plain('{{t}}{{t}}{{t}}', { t: text }))).toBe('template_too_large');
    expect(codeOf(() => plain(`{{#each l}}${'y'.repeat(20_000)}{{/each}}`, { l: many(60) }))).toBe(
      'template_too_large',
    );
    expect(codeOf(() => plain('{{t}}', { t: '\u200b'.repeat(200_000) }))).toBe('template_too_large');
  });
});
