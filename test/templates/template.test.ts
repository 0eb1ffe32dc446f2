import { describe, expect, test } from 'vitest';
import { compileTemplate } from '../../src/templates/template.ts';
import { fenced, plain } from './template-context.ts';

test.each([
  ['{{issue.title}}', 'Fix it'],
  ['{{{issue.title}}} {{&issue.title}}', 'Fix it Fix it'],
  ['{{@event.title}} {{@event.url}} {{@event.type}}', 'Fix it https://github.com/o/r/issues/1 issues.opened'],
  ['{{@event.text}} {{@event.externalId}}', 'please look github:o/r#1'],
  ['{{@sender.name}} {{@sender.id}} {{@argument}}', 'octocat 1 the login'],
  ['[{{nope}}{{nope.x.y}}{{issue.none}}{{issue.body}}]', '[]'],
  ['{{issue.count}}', '0'],
  ['{{#if issue.body}}yes{{else}}no{{/if}}', 'no'],
  ['{{#if issue.count}}yes{{else if issue.title}}other{{/if}}', 'other'],
  ['{{#unless issue.nope}}none{{/unless}}', 'none'],
  ['{{#with issue}}{{title}} {{../issue.count}}{{/with}}', 'Fix it 0'],
  ['{{#each issue.labels}}{{@index}}{{name}}{{#unless @last}}, {{/unless}}{{/each}}', '0bug, 1help wanted'],
  ['{{#each issue.user}}{{@key}}={{this}}{{/each}}', 'login=mallory'],
  ['{{#each issue.labels as |label i|}}{{i}}{{label.name}} {{/each}}', '0bug 1help wanted '],
  ['{{#each issue.nope}}x{{else}}empty{{/each}}', 'empty'],
  ['{{json issue.user}}', '{\n  "login": "mallory"\n}'],
  ['{{json issue.nope}}', ''],
  ['{{issue.user}}', '{"login":"mallory"}'],
  ['{{truncate issue.title 4}}', 'Fix…'],
  ['{{default issue.body "no text"}} {{default issue.nope issue.title}}', 'no text Fix it'],
  ['{{default issue.count 5}}', '0'],
  ['{{date issue.created_at}}', '2026-03-01 14:05 UTC'],
  ['{{date 1772373906}} {{date 1772373906000}}', '2026-03-01 14:05 UTC 2026-03-01 14:05 UTC'],
  ['{{date issue.title}}{{date issue.nope}}', 'Fix it'],
  ['{{lower issue.title}} {{upper issue.title}}', 'fix it FIX IT'],
  ['{{join issue.labels}} {{join issue.labels "/"}}{{join issue.nope}}', 'bug, help wanted bug/help wanted'],
  ['{{upper (truncate issue.title 4)}}', 'FIX…'],
])('%s', (source, expected) => {
  expect(plain(source)).toBe(expected);
});

describe('E24: @event and its likes have no other fields', () => {
  test.each([
    ['{{@event.titel}}', /@event has no titel\. Did you mean title\?/],
    ['{{#if @event.URL2}}x{{/if}}', /Did you mean url\?/],
    ['{{@sender.login}}', /@sender has no login\. Known here: name, id\./],
    ['{{@evnt.title}}', /there is no @evnt\. Did you mean @event\?/],
    ['{{truncate @event.body 5}}', /@event has no body\. Known here: title, details, text/],
    ['{{@argument.text}}', /@argument has no fields/],
    ['{{#each issue.labels}}{{@indx}}{{/each}}', /Did you mean @index\?/],
  ])('%s', (source, message) => {
    expect(compileTemplate(source)).toMatchObject({ ok: false, message: expect.stringMatching(message) });
  });
});

describe('E19: an expression of another language is refused, with what to write', () => {
  test.each([
    ['{{issue?.title}}', /write issue\.title: missing values render empty/],
    ['{{@event?.title}}', /write @event\.title: missing values render empty/],
    ['{{issue.body?}}', /write issue\.body: missing values render empty/],
    ["{{issue?.['title']}}", /write issue\.title: missing values render empty/],
    ['{{#if issue?.body}}x{{/if}}', /write issue\.body: missing values render empty/],
    ['{{#each issue?.labels}}{{name}}{{/each}}', /write issue\.labels: missing/],
    ['{{truncate issue?.title 5}}', /write issue\.title: missing/],
    ["{{issue.title || 'x'}}", /write default issue\.title "…"/],
    ['{{issue.title ?? x}}', /write default issue\.title x/],
    ['{{issue.title??x}}', /write default issue\.title x/],
    ["{{ issue['title'] }}", /write issue\.title$/],
    ['{{issue["labels"][0].name}}', /write issue\.labels\.0\.name$/],
    ['{{issue.labels[0].name}}', /write issue\.labels\.0\.name$/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the mistake itself
    ['${issue.title}', /write \{\{issue\.title\}\}/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the mistake itself
    ['${issue?.title}', /write \{\{issue\.title\}\}/],
    ['{{#if issue.a && issue.b}}x{{/if}}', /one block inside the other/],
    ['{{#if !issue.a}}x{{/if}}', /write \{\{#unless issue\.a\}\}/],
    ['{{!issue.closed}}', /write \{\{#unless issue\.closed\}\}/],
    ["{{#if issue.a === 'b'}}x{{/if}}", /a condition of the command/],
    ["{{issue.title ? 'a' : 'b'}}", /write \{\{#if issue\.title\}\}/],
    ['{{issue.title.toUpperCase()}}', /helpers are json/],
    ['{{upper(issue.title)}}', /\{\{upper issue\.title\}\}/],
    ['{{issue.title | upper}}', /write the helper first: upper issue\.title/],
    ["{{issue.title + 'x'}}", /one expression beside the other/],
    ['{{ .issue.title }}', /write issue\.title/],
    ['{{issue.title!}}', /write issue\.title$/],
    ['{{issue!.user!.login}}', /write issue\.user\.login$/],
  ])('%s', (source, message) => {
    expect(compileTemplate(`a\n b${source}`)).toEqual({
      ok: false,
      message: expect.stringMatching(message),
      line: 2,
      column: 3,
    });
  });

  test('E19: what is Handlebars, or no expression, is left alone', () => {
    for (const source of [
      '{{issue.[odd? name]}}',
      '{{default issue.body "a || b ?? c && d"}}',
      '{{! why? a || b }}{{!-- issue?.title --}}',
      '\\{{issue?.title}}',
      'Is it ok? a || b, x?.y, $' + '{HOME}',
      '{{join issue.labels " | "}} {{upper (truncate issue.title 4)}}',
      '{{#each issue.labels as |label i|}}{{label.name}}{{/each}}',
      '{{../x}}{{./y}}{{.}}{{this.[0]}}{{{issue.title}}}',
    ]) {
      expect([source, compileTemplate(source).ok]).toEqual([source, true]);
    }
  });
});

test('a payload never gets its own braces rendered, nor its HTML escaped', () => {
  for (const text of [
    '{{issue.user.login}}',
    '{{#each x}}',
    '{{> p}}',
    '{{{{raw}}}}',
    '<b>"&\'',
    '\\{{x}}',
  ]) {
    const payload = { issue: { title: text, user: { login: 'secret' } } };
    expect(plain('{{issue.title}}', payload)).toBe(text);
    expect(fenced('{{issue.title}}', payload)).toContain(`>${text}<`);
  }
});

describe('mistakes are found when the template is compiled, with their place', () => {
  test.each([
    ['{{#if x}}', /not closed/, { line: 1 }],
    ['a\n{{issue.title', /cannot be read near/, { line: 2 }],
    ['{{#if a}}{{/each}}', /if doesn't match each/, { line: 1, column: 4 }],
    ['a\n  {{foo issue}}', /unknown helper foo/, { line: 2, column: 3 }],
    ['{{truncat issue.title 5}}', /Did you mean truncate/, { line: 1, column: 1 }],
    ['{{truncate issue.title}}', /truncate takes 2 values, not 1/, { line: 1 }],
    ['{{truncate issue.title "x"}}', /truncate needs a length/, {}],
    ['{{join a b c}}', /join takes 1 or 2 values/, {}],
    ['{{json}}', /json needs a value/, {}],
    ['{{json a x=1}}', /no named values/, {}],
    ['{{each issue}}', /each is a block/, {}],
    ['{{#json issue}}{{/json}}', /no block/, {}],
    ['{{#issue.labels}}x{{/issue.labels}}', /no block; #if/, {}],
    ['{{^issue}}x{{/issue}}', /no block/, {}],
    ['{{#if}}x{{/if}}', /exactly one value/, {}],
    ['{{"x"}}', /expected a path/, {}],
  ] as const)('%s', (source, message, place) => {
    const result = compileTemplate(source);
    expect(result).toMatchObject({ ok: false, ...place });
    expect(result.ok ? '' : result.message).toMatch(message);
  });
});

test('a template that was compiled before is not compiled again, and a mistake stays one', () => {
  expect(compileTemplate('{{issue.once}}')).toBe(compileTemplate('{{issue.once}}'));
  expect(compileTemplate('{{#if')).toMatchObject({ ok: false });
  expect(compileTemplate('{{#if')).toMatchObject({ ok: false });
});
