/**
 * Text from outside, made safe to look at. Control and escape characters would let a payload rewrite the terminal
 * (OSC 52 sets the clipboard), and invisible ones would hide words from the person who reads a prompt.
 */

/** Default_Ignorable, format, control and separator characters, but newline and tab. */
const HIDDEN = /[^\P{Default_Ignorable_Code_Point}]|[\p{Cf}\p{Zl}\p{Zp}]|(?![\n\t])\p{Cc}/gu;

/** What joins emoji, or asks for their coloured form. */
const JOINED = /[\u200D\uFE0F]/;

/** Anything but printable ASCII and the newline of an indented text. */
const BEYOND_ASCII = /[^\n\x20-\x7e]/;

/** Emoji of Unicode's list (👩‍👧, ❤️): the joiners and selectors in them hide nothing. A flag of tags is not taken. */
const EMOJI = String.raw`\p{RGI_Emoji_ZWJ_Sequence}|\p{Emoji_Keycap_Sequence}|\p{Emoji_Presentation}|[\p{Emoji}--[0-9#*]]\uFE0F`;

/** Shows each hidden character outside emoji as `⟦U+200B⟧`; newline and tab stay. */
export function escapeInvisible(text: string): string {
  // Most is plain ASCII, which this tells in a tenth of the time that looking for each kind of character takes.
  if (!BEYOND_ASCII.test(text)) return text;
  const whole = text.toWellFormed();
  if (!JOINED.test(whole)) return whole.replace(HIDDEN, showCodePoint);
  let shown = '';
  let from = 0;
  for (const { 0: sequence, index } of whole.matchAll(emoji())) {
    shown += whole.slice(from, index).replace(HIDDEN, showCodePoint) + sequence;
    from = index + sequence.length;
  }
  return shown + whole.slice(from).replace(HIDDEN, showCodePoint);
}

/**
 * JSON in which each hidden character is an escape: a reader gets back exactly what it was, a terminal gets nothing that
 * it would follow. `indent`: spaces for each level.
 */
export function escapeInvisibleJson(value: unknown, indent?: number): string {
  return escapeInvisibleJsonText(JSON.stringify(value, null, indent));
}

/** The same for JSON that is text already. */
export function escapeInvisibleJsonText(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text;
  return text.replace(HIDDEN, (character) =>
    [...Array(character.length).keys()].map((at) => escaped(character.charCodeAt(at))).join(''),
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** `visible` on one line, for a table cell or a log line: newlines and tabs become spaces. */
export function escapeInvisibleLine(text: string): string {
  return escapeInvisible(text).replace(/\s+/g, ' ').trim();
}

/** `visible`, each line moved in by two blanks, so that none of them passes for a line of hookctl's own. */
export function indented(text: string): string {
  return `  ${escapeInvisible(text).replaceAll('\n', '\n  ')}`;
}

/** The first `length` characters at most, with `…` where something was cut. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text
    .slice(0, cutPlace(text, length - 1))
    .trimEnd()
    .toWellFormed()}…`;
}

/** A shorter part of a word tells nothing of a secret. */
const TELLING = 8;
const IN_WORD = /[\w-]/;

/** Redaction does not know a part of a secret: where a cut would fall into a long word, it is made before the word. */
function cutPlace(text: string, end: number): number {
  if (!IN_WORD.test(text[end] ?? '')) return end;
  let start = end;
  while (start > 0 && IN_WORD.test(text[start - 1] ?? '')) start -= 1;
  return start === 0 || end - start < TELLING ? end : start;
}

let compiledEmoji: RegExp | null = null;

/** Compiled at its first use: that takes longer than all else that a short command does. */
function emoji(): RegExp {
  compiledEmoji ??= new RegExp(EMOJI, 'gv');
  return compiledEmoji;
}

function showCodePoint(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `⟦U+${hex}⟧`;
}

/** A text from outside within Markdown: no words of it pass for a link to somewhere else. */
export function unlinked(text: string): string {
  return text.replaceAll('](', ']\u200B(');
}
