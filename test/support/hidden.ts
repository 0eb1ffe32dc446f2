/** Controls but newline and tab, formats, line and paragraph separators, and all that Unicode says is drawn as nothing. */
const HIDDEN = /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]$/u;

/** Every character that can hide in a text or steer a terminal. */
export function allHidden(): readonly string[] {
  const found: string[] = [];
  for (let code = 0; code <= 0x10ffff; code += 1) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    if (HIDDEN.test(character) && character !== '\n' && character !== '\t') found.push(character);
  }
  return found;
}

/** Those of them that stand in a text. */
export function hiddenIn(text: string): readonly string[] {
  const found = [...text].filter((character) => HIDDEN.test(character) && character !== '\n');
  return [...new Set(found)].map((character) => `U+${character.codePointAt(0)?.toString(16)}`);
}
