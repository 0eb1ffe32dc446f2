import type { TextSpan } from '../../../types/text.ts';

/** A tag may not be longer than this: a `<` that never closes must not be read to the end of the text again and again. */
const LONGEST_TAG = 2_000;
const ATTRIBUTE = String.raw`\s+[a-z_:][\w.:-]*(?:\s*=\s*(?:[^\s"'=<>${'`'}]+|'[^']*'|"[^"]*"))?`;

/** Source: CommonMark 0.31.2, 6.6. */
export const OPEN_TAG = String.raw`<[a-z][a-z0-9-]*(?:${ATTRIBUTE})*\s*/?>`;
export const CLOSING_TAG = String.raw`</[a-z][a-z0-9-]*\s*>`;
const TAG = new RegExp(`^(?:${OPEN_TAG}|${CLOSING_TAG})`, 'i');

/** What the text in an element is, where it is not simply shown. GFM shows `<script>` and its like as text (6.11). */
const ELEMENTS: Readonly<Record<string, TextSpan['kind']>> = {
  blockquote: 'quoted',
  q: 'quoted',
  pre: 'code',
  code: 'code',
  kbd: 'code',
  samp: 'code',
  tt: 'code',
  template: 'hidden',
};
/** Browsers open these again where the block that they were opened in ends (HTML, "active formatting elements"). */
const REOPENED = ['code', 'tt'];
/** More elements than this inside each other are not told apart. */
const MOST_OPEN = 100;

/** Elements that are open at some place of a text, and whether a comment is. Goes on from block to block, as browsers read it. */
export class HtmlState {
  private readonly open: string[] = [];
  /** A comment that the HTML block which began it did not end. */
  inComment = false;

  get depth(): number {
    return this.open.length;
  }

  /** Ends the elements that were opened since: their block ends. */
  closeTo(depth: number): void {
    const kept = this.open.splice(depth).filter((name) => REOPENED.includes(name));
    this.open.push(...kept);
  }

  read(tag: string): void {
    const [, slash = '', word = ''] = /^<(\/?)([a-z][a-z0-9-]*)/i.exec(tag) ?? [];
    const name = word.toLowerCase();
    if (!Object.hasOwn(ELEMENTS, name)) return;
    const index = this.open.lastIndexOf(name);
    if (slash === '' && this.open.length < MOST_OPEN) this.open.push(name);
    else if (slash !== '' && index >= 0) this.open.splice(index, 1);
  }

  /** What text is here; null when it is simply shown. */
  get zone(): Pick<TextSpan, 'kind' | 'what'> | null {
    if (this.inComment) return { kind: 'hidden', what: 'an HTML comment' };
    const name = this.open.find((each) => ELEMENTS[each] !== 'code') ?? this.open[0];
    const kind = name === undefined ? undefined : ELEMENTS[name];
    return kind === undefined ? null : { kind, what: `a <${name}> element` };
  }
}

/** Reads the HTML that begins at a `<`. Each kind of unfinished construct is searched for once. */
export class HtmlReader {
  private readonly missing = new Set<string>();
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The tag at this position; null when there is none. */
  tagAt(at: number): string | null {
    return TAG.exec(this.text.slice(at, at + LONGEST_TAG))?.[0] ?? null;
  }

  /** Behind the comment, declaration or instruction at this position; null when there is none or it does not end. */
  markupEnd(at: number): number | null {
    if (this.text.startsWith('<!--', at)) return this.commentEnd(at);
    if (this.text.startsWith('<![CDATA[', at)) return this.endBehind(']]>', at + 9);
    if (this.text.startsWith('<?', at)) return this.endBehind('?>', at + 2);
    return /[a-z]/i.test(this.text[at + 2] ?? '') && this.text.startsWith('<!', at)
      ? this.endBehind('>', at + 2)
      : null;
  }

  /** Behind the first `>`, or the end. */
  declarationEnd(at: number): number {
    return this.endBehind('>', at) ?? this.text.length;
  }

  private commentEnd(at: number): number | null {
    const short = /^<!---?>/.exec(this.text.slice(at, at + 6))?.[0];
    return short === undefined ? this.endBehind('-->', at + 4) : at + short.length;
  }

  private endBehind(mark: string, from: number): number | null {
    const end = this.missing.has(mark) ? -1 : this.text.indexOf(mark, from);
    if (end < 0) this.missing.add(mark);
    return end < 0 ? null : end + mark.length;
  }
}

/** The spans of an HTML block. What is not in a tag or comment is text, and has no Markdown in it. */
export function htmlSpans(text: string, state: HtmlState): readonly TextSpan[] {
  const spans: TextSpan[] = [];
  const reader = new HtmlReader(text);
  let at = 0;
  while (at < text.length) {
    if (state.inComment) {
      const end = text.indexOf('-->', at);
      const to = end < 0 ? text.length : end + 3;
      spans.push({ kind: 'hidden', from: at, to, what: 'an HTML comment' });
      state.inComment = end < 0;
      at = to;
      continue;
    }
    const tagFrom = text.indexOf('<', at);
    const next = tagFrom < 0 ? text.length : tagFrom;
    if (state.zone !== null) spans.push({ ...state.zone, from: at, to: next });
    at = next;
    if (tagFrom >= 0) at = readMarkup(text, at, { reader, state, spans });
  }
  return spans;
}

interface Markup {
  readonly reader: HtmlReader;
  readonly state: HtmlState;
  readonly spans: TextSpan[];
}

/** Reads what begins at a `<`, and says where the text goes on. Declarations and instructions end at the first `>`, as in browsers. */
function readMarkup(text: string, at: number, { reader, state, spans }: Markup): number {
  const isComment = text.startsWith('<!--', at);
  const end =
    isComment || !/[!?]/.test(text[at + 1] ?? '') ? reader.markupEnd(at) : reader.declarationEnd(at);
  if (end !== null) {
    spans.push({ kind: 'hidden', from: at, to: end, what: 'an HTML comment' });
    return end;
  }
  if (isComment) {
    state.inComment = true;
    return at;
  }
  const tag = reader.tagAt(at);
  if (tag === null) {
    if (state.zone !== null) spans.push({ ...state.zone, from: at, to: at + 1 });
    return at + 1;
  }
  spans.push({ kind: 'hidden', from: at, to: at + tag.length, what: 'an HTML tag' });
  state.read(tag);
  return at + tag.length;
}
