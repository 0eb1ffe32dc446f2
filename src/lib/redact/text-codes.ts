const LARGEST_KEPT = 1 << 20;
let codes = Buffer.allocUnsafe(1 << 16);
let written = '';

/**
 * The low byte of each character, up to the length of the text, valid until the next call: a loop over bytes is several
 * times as fast as one over a string. What is found by them is looked up in the text.
 */
export function codesOf(text: string): Uint8Array {
  if (text === written) return codes;
  if (text.length > LARGEST_KEPT) return Buffer.from(text, 'latin1');
  if (text.length > codes.length) codes = Buffer.allocUnsafe(LARGEST_KEPT);
  codes.write(text, 'latin1');
  written = text;
  return codes;
}
