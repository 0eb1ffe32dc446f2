import { describe, expect, test } from 'vitest';
import { jira } from '../../src/providers/jira/index.ts';
import type { JsonObject, JsonValue } from '../../src/types.ts';
import { json, onlyEvent, request, samplePayload } from './support.ts';

const event = (payload: unknown) => onlyEvent(jira.parse(request(json(payload))));
const withBody = (body: JsonValue) => {
  const payload = samplePayload(jira, 'comment_created');
  return { ...payload, comment: { ...(payload.comment as JsonObject), body } };
};

describe('text', () => {
  const doc = (...content: JsonValue[]) => ({ type: 'doc', version: 1, content });
  const paragraph = (...content: JsonValue[]) => ({ type: 'paragraph', content });
  const say = (text: string, ...marks: string[]) => ({
    type: 'text',
    text,
    marks: marks.map((type) => ({ type })),
  });
  test.each([
    ['wiki, as it is', 'h1. Look\n@agent fix *now*', 'h1. Look\n@agent fix *now*'],
    ['wiki mentions stay ids', '[~accountid:5c1] @agent fix', '[~accountid:5c1] @agent fix'],
    ['wiki code', 'a {code:js}@agent fix{code} b', 'a {code:js}@agent fix{code} b'],
    ['wiki lines', '{quote}@agent\r\nfix{quote}\nbq. @agent', '{quote}@agent\nfix{quote}\nbq. @agent'],
    [
      'ADF paragraphs',
      doc(paragraph(say('@agent '), say('fix')), paragraph(say('soon'))),
      '@agent fix\nsoon',
    ],
    [
      'ADF mentions are ids, whatever the name',
      doc(paragraph({ type: 'mention', attrs: { id: '5c1', text: '@agent' } }, say(' fix'))),
      '[~accountid:5c1] fix',
    ],
    [
      'ADF code',
      doc({ type: 'codeBlock', content: [say('@agent\nfix')] }, paragraph(say('x', 'code'))),
      '```\n@agent\nfix\n```\n`x`',
    ],
    [
      'ADF quotes and lists',
      doc(
        { type: 'blockquote', content: [paragraph(say('@agent'))] },
        { type: 'bulletList', content: [{ type: 'listItem', content: [paragraph(say('a'))] }] },
      ),
      '> @agent\n- a',
    ],
    [
      'ADF breaks, emoji, links',
      doc(
        paragraph(
          say('a'),
          { type: 'hardBreak' },
          { type: 'emoji', attrs: { shortName: ':x:' } },
          { type: 'inlineCard', attrs: { url: 'https://x.test' } },
        ),
      ),
      'a\n:x:https://x.test',
    ],
    ['ADF of tomorrow', doc({ type: 'new', content: [paragraph(say('a'))] }), 'a'],
  ])('%s', (_, body, text) => {
    expect(event(withBody(body)).text).toBe(text);
  });

  test.each([null, 7, [], { type: 'x' }])('%j is none', (body) =>
    expect(event(withBody(body)).text).toBeNull(),
  );

  test('of an issue is its description, when it is created and when that was edited', () => {
    const updated = samplePayload(jira, 'jira:issue_updated');
    expect(event(updated).text).toBeNull();
    const changelog = { items: [{ field: 'description', fromString: 'a', toString: 'b' }] };
    expect(event({ ...updated, changelog })).toMatchObject({ text: '@agent analyze', textOrigin: 'edited' });
    expect(event(samplePayload(jira, 'jira:issue_created'))).toMatchObject({
      text: '@agent analyze',
      textOrigin: 'created',
    });
  });
});
