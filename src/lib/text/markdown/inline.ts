import type { TextSpan } from '../../../types/text.ts';
import { HtmlReader, type HtmlState } from './html.ts';
import type { MarkdownDialect } from './leaves.ts';
import { inlineTargetEnd, labelAt, normalLabel } from './links.ts';

/** `$` that begins a formula on GitHub: no word is before it, and no blank behind it. */
const GITHUB_OPENING = /(?<![\w$])\$(?![\s$])/y;
const GITLAB_OPENING = /(?<!\$)\$(?![\s$])/y;
/** `$` that ends one: no blank and no backslash before it; behind it no word (GitHub), no digit (GitLab). */
const GITHUB_CLOSING = /(?<![\s\\$])\$(?![\w$])/g;
const GITLAB_CLOSING = /(?<![\s\\$])\$(?![\d$])/g;
const DISPLAY = /(?<!\\)\$\$/g;

/**
 * Where the formula ends that begins with a dollar: both sites show it as mathematics, not as words. Positions that are asked for only
 * grow. Sources: docs.github.com, "Writing mathematical expressions"; docs.gitlab.com, "GitLab Flavored Markdown", math, whose parser
 * (comrak, `math_dollars`) follows pandoc.
 */
function formulaEnds(text: string, math: MarkdownDialect['math']): (at: number) => number | null {
  if (math === null || !text.includes('$')) return () => null;
  const opening = math === 'github' ? GITHUB_OPENING : GITLAB_OPENING;
  const inline = nextOf(text, math === 'github' ? GITHUB_CLOSING : GITLAB_CLOSING);
  const display = nextOf(text, DISPLAY);
  return (at) => {
    if (text.startsWith('$$', at)) {
      const end = display(at + 2);
      return end === null ? null : end + 2;
    }
    opening.lastIndex = at;
    const end = opening.test(text) ? inline(at + 2) : null;
    return end === null ? null : end + 1;
  };
}

/** The first match at a position or behind it, for positions that only grow. */
function nextOf(text: string, pattern: RegExp): (from: number) => number | null {
  const found = [...text.matchAll(pattern)].map(({ index }) => index);
  let next = 0;
  return (from) => {
    while (next < found.length && (found[next] ?? 0) < from) next += 1;
    return found[next] ?? null;
  };
}

interface InlineContext {
  /** Null when the dialect shows HTML as text. */
  readonly html: HtmlState | null;
  readonly math: MarkdownDialect['math'];
  readonly definitions: ReadonlySet<string>;
  /** Marks that refer to footnotes (`[^1]`), in lower case; what is read adds its own. */
  readonly references: Set<string>;
}

const PUNCTUATION = /[!-/:-@[-`{-~]/;
const AUTOLINK =
  /<(?:[a-z][a-z0-9+.-]{1,31}:[^\s<>]{0,2000}|[\w.!#$%&'*+/=?^`{|}~-]{1,200}@[a-z0-9][a-z0-9.-]{0,250})>/iy;

/**
 * What the inline marks of one paragraph make of it: code spans, HTML, addresses of links, images. Emphasis changes nothing.
 * Source: CommonMark 0.31.2, chapter 6. Reads forward once; what has to be searched for is searched for once.
 */
export function inlineSpans(text: string, context: InlineContext): readonly TextSpan[] {
  return new InlineReader(text, context).read();
}

interface Bracket {
  readonly at: number;
  readonly isImage: boolean;
  /** False: a link is inside, and links do not nest. */
  isActive: boolean;
}

class InlineReader {
  private readonly text: string;
  private readonly context: InlineContext;
  private readonly reader: HtmlReader;
  private readonly codeEnds: ReadonlyMap<number, number>;
  private readonly formulaEnd: (at: number) => number | null;
  private readonly spans: TextSpan[] = [];
  private readonly brackets: Bracket[] = [];
  /** Brackets below this are known to be inactive. */
  private activeFrom = 0;
  /** Where the text of the element that is open began. */
  private zoneFrom = 0;

  constructor(text: string, context: InlineContext) {
    this.text = text;
    this.context = context;
    this.reader = new HtmlReader(text);
    this.codeEnds = codeSpanEnds(text);
    this.formulaEnd = formulaEnds(text, context.math);
  }

  read(): readonly TextSpan[] {
    const special = /[\\`<[\]$]/g;
    for (let found = special.exec(this.text); found !== null; found = special.exec(this.text)) {
      special.lastIndex = this.readAt(found.index, found[0]);
    }
    this.endZone(this.text.length);
    return this.spans;
  }

  /** Reads what begins with this character, and says where to go on. */
  private readAt(at: number, character: string): number {
    switch (character) {
      case '\\':
        return at + (PUNCTUATION.test(this.text[at + 1] ?? '') ? 2 : 1);
      case '`':
        return this.readCode(at);
      case '<':
        return this.readHtml(at);
      case '$':
        return this.readFormula(at);
      case '[':
        this.brackets.push({ at, isImage: this.text[at - 1] === '!', isActive: true });
        return at + 1;
      default:
        return this.readLinkEnd(at);
    }
  }

  private readCode(at: number): number {
    const end = this.codeEnds.get(at);
    if (end === undefined) {
      let behind = at;
      while (this.text[behind] === '`') behind += 1;
      return behind;
    }
    this.spans.push({ kind: 'code', from: at, to: end, what: 'a code span' });
    return end;
  }

  private readFormula(at: number): number {
    const end = this.formulaEnd(at);
    if (end === null) return at + (this.text[at + 1] === '$' ? 2 : 1);
    this.spans.push({ kind: 'code', from: at, to: end, what: 'a formula' });
    return end;
  }

  private readHtml(at: number): number {
    AUTOLINK.lastIndex = at;
    const link = AUTOLINK.exec(this.text)?.[0];
    if (link !== undefined) return this.hide(at, at + link.length, 'an address');
    const { html } = this.context;
    if (html === null) return at + 1;
    const end = this.reader.markupEnd(at);
    if (end !== null) {
      this.endZone(at);
      html.inComment = false;
      this.zoneFrom = end;
      return this.hide(at, end, 'an HTML comment');
    }
    const tag = this.reader.tagAt(at);
    if (tag === null) return at + 1;
    this.endZone(at);
    html.read(tag);
    this.zoneFrom = at + tag.length;
    return this.hide(at, at + tag.length, 'an HTML tag');
  }

  /** A `]`: what it closes may be a link, whose address is hidden, or an image, of which all is. */
  private readLinkEnd(at: number): number {
    const bracket = this.brackets.pop();
    if (bracket === undefined) return at + 1;
    if (this.text[bracket.at + 1] === '^' && at - bracket.at < 300) {
      this.context.references.add(this.text.slice(bracket.at, at + 1).toLowerCase());
    }
    if (this.brackets.length < this.activeFrom) {
      this.activeFrom = this.brackets.length;
      if (!bracket.isImage) return at + 1;
    }
    const end = this.targetEnd(bracket, at);
    if (end === null) return at + 1;
    if (bracket.isImage) return this.hide(bracket.at - 1, end, 'an image');
    this.activeFrom = this.brackets.length;
    return end === at + 1 ? end : this.hide(at, end, 'the address of a link');
  }

  /** Behind `](address)`, `][label]`, or the `]` itself where the text is a label; null when it is no link. */
  private targetEnd(bracket: Bracket, at: number): number | null {
    const inline = this.text[at + 1] === '(' ? inlineTargetEnd(this.text, at + 1) : null;
    if (inline !== null) return inline;
    const full = labelAt(this.text, at + 1);
    if (full !== null && this.context.definitions.has(normalLabel(full.text))) return full.end;
    if (this.context.definitions.size === 0 || at - bracket.at > 1_000) return null;
    if (!this.context.definitions.has(normalLabel(this.text.slice(bracket.at + 1, at)))) return null;
    return this.text.startsWith('[]', at + 1) ? at + 3 : at + 1;
  }

  private hide(from: number, to: number, what: string): number {
    this.spans.push({ kind: 'hidden', from, to, what });
    return to;
  }

  /** The text up to here is that of the HTML element that is open. */
  private endZone(to: number): void {
    const zone = this.context.html?.zone ?? null;
    if (zone !== null && to > this.zoneFrom) this.spans.push({ ...zone, from: this.zoneFrom, to });
    this.zoneFrom = to;
  }
}

/** Where the code spans that begin at a run of backticks end: behind the next run of the same length. */
function codeSpanEnds(text: string): ReadonlyMap<number, number> {
  const ends = new Map<number, number>();
  const nextOfLength = new Map<number, number>();
  const runs = [...text.matchAll(/`+/g)].reverse();
  for (const { index, 0: run } of runs) {
    const closer = nextOfLength.get(run.length);
    if (closer !== undefined) ends.set(index, closer + run.length);
    nextOfLength.set(run.length, index);
    // A backslash takes the first backtick; the others are a shorter run.
    const shorter = run.length > 1 && text[index - 1] === '\\' ? nextOfLength.get(run.length - 1) : undefined;
    if (shorter !== undefined) ends.set(index + 1, shorter + run.length - 1);
  }
  return ends;
}
