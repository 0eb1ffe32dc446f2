import { expect, test } from 'vitest';
import {
  escapeInvisible,
  escapeInvisibleJson,
  escapeInvisibleLine,
  shorten,
} from '../../src/lib/text/escape-invisible.ts';
import { allHidden } from '../support/hidden.ts';

test('every control, format and separator character and all that is drawn as nothing is shown by its number', () => {
  const hidden = allHidden();
  expect(hidden.length).toBeGreaterThan(4_000);
  for (const character of hidden) {
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    expect(escapeInvisible(`a${character}b`)).toBe(`a⟦U+${code}⟧b`);
    expect(escapeInvisibleLine(`a${character}b`)).not.toContain(character);
  }
});

test('half of a surrogate pair becomes a replacement character; what people write stays', () => {
  expect(escapeInvisible('a\ud800b\udc00c')).toBe('a\ufffdb\ufffdc');
  const written = 'Ünïcödé 漢字 العربية 👩 e\u0301 “quotes” — and\ttabs\nand lines';
  expect(escapeInvisible(written)).toBe(written);
});

test('E13: the joiners of an emoji stay, hidden characters beside it are shown', () => {
  for (const emoji of ['👩‍👩‍👧', '❤️', '1️⃣', '👩🏽‍💻', '🏳️‍🌈', '❤️‍🔥']) {
    expect(escapeInvisible(`a ${emoji} b`)).toBe(`a ${emoji} b`);
  }
  expect(escapeInvisible('👩\u200Da\u200Db❤️\uFE0F\u200B')).toBe('👩⟦U+200D⟧a⟦U+200D⟧b❤️⟦U+FE0F⟧⟦U+200B⟧');
  expect(escapeInvisible('ab\uFE0F 1\uFE0F')).toBe('ab⟦U+FE0F⟧ 1⟦U+FE0F⟧');
});

test('on one line there is no other line', () => {
  expect(escapeInvisibleLine('a\r\nb\n\n c\td')).toBe('a⟦U+000D⟧ b c d');
  expect(escapeInvisibleLine('a\u2028b\u2029c\u0085d')).toBe('a⟦U+2028⟧b⟦U+2029⟧c⟦U+0085⟧d');
});

test('JSON shows them as escapes, so that it reads back as what it was', () => {
  const value = { title: `a${allHidden().join('')}b\ud800`, list: ['漢字 👩', '\n\t'] };
  const text = escapeInvisibleJson(value);
  for (const character of allHidden()) expect(text).not.toContain(character);
  expect(JSON.parse(text)).toEqual(value);
  expect(escapeInvisibleJson({ a: '漢字 👩' })).toBe('{"a":"漢字 👩"}');
  expect(escapeInvisibleJson({ a: 1 }, 2)).toBe('{\n  "a": 1\n}');
});

test('what is cut is cut between characters', () => {
  expect(shorten('👩👩👩', 4)).toBe('👩\ufffd…');
  expect(shorten('short', 5)).toBe('short');
});

test('F7: a cut leaves out a long word whole, because redaction does not know a part of a secret', () => {
  expect(shorten('deploy with ghp_0123456789abcdef now', 24)).toBe('deploy with…');
  expect(shorten('deploy with care', 14)).toBe('deploy with c…');
  expect(shorten('deploy whatever-is-new now', 23)).toBe('deploy whatever-is-new…');
  expect(shorten('x'.repeat(30), 10)).toBe(`${'x'.repeat(9)}…`);
});
