import { describe, expect, test } from 'vitest';
import { encodeForm, isForm, parseForm } from '../../src/providers/kit/form.ts';

const read = (text: string) => {
  const fields = parseForm(Buffer.from(text, 'latin1'));
  return fields === null ? null : Object.fromEntries(fields);
};

describe('a form', () => {
  test.each([
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=x+y%20z', { a: 'x y z' }],
    ['a=%C3%A9%2B', { a: 'é+' }],
    ['a=1=2', { a: '1=2' }],
    ['a&b=', { a: '', b: '' }],
    ['&&a=1&', { a: '1' }],
    ['', {}],
  ])('%s is read', (text, fields) => expect(read(text)).toEqual(fields));

  test.each([
    ['a field twice', 'a=1&a=2'],
    ['a field twice, once encoded', 'a=1&%61=2'],
    ['half an escape', 'a=%'],
    ['bytes that are no UTF-8, encoded', 'a=%FF'],
    ['bytes that are no UTF-8', 'a=\xff'],
    ['more fields than any sender has', Array.from({ length: 1_001 }, (_, index) => `f${index}=`).join('&')],
  ])('%s is refused', (_, text) => expect(read(text)).toBeNull());

  test('survives what encodes it', () => {
    const fields = { a: 'x &=+%\n"é😀', b: '' };
    expect(Object.fromEntries(parseForm(encodeForm(fields)) ?? [])).toEqual(fields);
  });

  test('is told by its content type', () => {
    const type = 'application/x-www-form-urlencoded';
    for (const value of [type, `${type}; charset=UTF-8`, `${type};x`, type.toUpperCase()]) {
      expect(isForm({ 'content-type': value })).toBe(true);
    }
    for (const value of ['application/json', `${type}x`, ''])
      expect(isForm({ 'content-type': value })).toBe(false);
    expect(isForm({})).toBe(false);
  });
});
