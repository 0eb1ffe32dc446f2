import { expect, test } from 'vitest';
import { suggestion } from '../../src/lib/suggest.ts';

test('a slip of the finger leads to the word that was meant', () => {
  expect(suggestion('commnads', ['name', 'commands', 'events'])).toBe('Did you mean commands?');
  expect(suggestion('GitHub', ['github', 'gitlab'])).toBe('Did you mean github?');
});

test('a word that is near to nothing gets the whole list', () => {
  expect(suggestion('colour', ['name', 'events'])).toBe('Known here: name, events.');
  expect(suggestion('colour', [])).toBe('Remove it.');
});
