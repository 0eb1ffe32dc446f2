import { textSpans } from '../../lib/text/index.ts';
import { withoutSpans } from '../../lib/text/spans.ts';
import type { TextFormat } from '../../types.ts';

/** What a text or a branch names as the thing that it belongs to. */
export interface Reference {
  /** `#4`, `acme/web#4`, an address, or the key of a ticket: `PROJ-1`. */
  readonly name: string;
  /** The key of a ticket counts only where its project is known. */
  readonly isKey: boolean;
  /** As it was written, on one line. */
  readonly said: string;
}

/** How the descriptions of a provider's pull requests say what they close. */
interface Grammar {
  readonly words: string;
  readonly flags: string;
  /** Between the word and the first reference. */
  readonly between: string;
  readonly reference: string;
  /** A word counts for a list of references. */
  readonly isList: boolean;
}

const NAMED = '(?:[\\w.-]+(?:/[\\w.-]+)+)?#[1-9]\\d*';
const ISSUE_PAGE = 'https?://[^\\s<>()"]+?(?<!/-)/issues/[1-9]\\d*(?:#[\\w-]+)?';
const KEY = '[A-Z][A-Z0-9]+-[1-9]\\d*';
const NINE = 'clos(?:e|es|ed)|fix(?:|es|ed)|resolv(?:e|es|ed)';
const GITLAB = '[Cc]los(?:e[sd]?|ing)|[Ff]ix(?:e[sd]|ing)?|[Rr]esolv(?:e[sd]?|ing)|[Ii]mplement(?:s|ed|ing)?';

const GITHUB: Grammar = {
  words: NINE,
  flags: 'giu',
  between: ':?[ \\t]+',
  reference: `${NAMED}|${ISSUE_PAGE}`,
  isList: false,
};

/**
 * Source: docs.github.com, "Linking a pull request to an issue"; docs.gitlab.com, "Default closing pattern"; go-gitea/gitea
 * `modules/references`; support.atlassian.com, "Resolve issues automatically when users push code".
 */
const GRAMMARS: Readonly<Record<string, Grammar>> = {
  github: GITHUB,
  gitea: GITHUB,
  gitlab: {
    words: GITLAB,
    flags: 'gu',
    between: ':?[ \\t]+(?:issues?[ \\t]+)?',
    reference: `${NAMED}|https?://[^\\s<>()"]+?/-/(?:issues|work_items)/[1-9]\\d*(?:#[\\w-]+)?|${KEY}`,
    isList: true,
  },
  bitbucket: {
    words: `${NINE}|closing|fixing|resolving`,
    flags: 'giu',
    between: ':?[ \\t]+(?:(?:issue|bug|ticket)[ \\t]+)?',
    reference: '#[1-9]\\d*',
    isList: true,
  },
};

/** Linear's words that make a description belong to its ticket; they are in descriptions of every host. */
const TICKET_WORDS =
  'clos(?:e|es|ed|ing)|fix(?:|es|ed|ing)|resolv(?:e|es|ed|ing)|complet(?:e|es|ed|ing)|implement(?:|s|ed|ing)|linear issue|refs?|references|part of|contributes to|towards';

/** A word is no part of another one, and no quotation mark is before it. */
const BEFORE = '(?<=^|[\\s([*_~])';
const AFTER = '(?![\\w/-]|\\.\\d)';

/** The things that the description of a pull request closes. */
export function closedIn(provider: string, body: string, format: TextFormat): readonly Reference[] {
  const own = Object.hasOwn(GRAMMARS, provider) ? GRAMMARS[provider] : undefined;
  const text = spokenIn(body, format);
  const tickets: Grammar = {
    words: TICKET_WORDS,
    flags: 'giu',
    between: ':?[ \\t]+',
    reference: KEY,
    isList: true,
  };
  return [...(own === undefined ? [] : found(text, own)), ...found(text, tickets)];
}

function found(text: string, { words, flags, between, reference, isList }: Grammar): readonly Reference[] {
  const one = `(?:${reference})${AFTER}`;
  const more = isList ? `(?:(?:,[ \\t]*|,?[ \\t]+and[ \\t]+|[ \\t]+)${one})*` : '';
  const pattern = new RegExp(`${BEFORE}(?:${words})${between}(${one}${more})`, flags.concat('m'));
  return [...text.matchAll(pattern)]
    .filter(({ index }) => !isNegated(text.slice(0, index)))
    .flatMap(([said, list = '']) =>
      [...list.matchAll(new RegExp(one, flags))].map(([name]) => ({
        name,
        isKey: /^[A-Z][A-Z0-9]+-\d+$/iu.test(name),
        said: said.trim(),
      })),
    );
}

const NEGATIONS = /^(?:not|never|cannot|without|no|\p{L}+n['’]t)$/iu;

/** Whether one of the four words before says the opposite. The services close all the same; hookctl must not join. */
function isNegated(before: string): boolean {
  const sentence = before.split(/[.!?;\n]/u).at(-1) ?? '';
  const words = sentence
    .replace(/[*_~(),:]/g, ' ')
    .split(/\s+/u)
    .filter((word) => word !== '');
  const last = words.slice(-4);
  return last.some((word) => NEGATIONS.test(word)) || /\binstead of\b/iu.test(last.join(' '));
}

/** A text without quotes, code, comments and words in quotation marks. Addresses that are written out stay. */
function spokenIn(text: string, format: TextFormat): string {
  const spans = textSpans(text, format).filter(({ what }) => what !== 'an address');
  return withoutSpans(text, spans).replace(/"[^"\n]*"|“[^”\n]*”/g, (quoted) => ' '.repeat(quoted.length));
}

const IN_TITLE = /(?<![A-Za-z0-9_.])[A-Za-z][A-Za-z0-9]+-[1-9]\d*(?![A-Za-z0-9]|[-.]\d)/g;

/** Keys of tickets in a title or the name of a branch, in capitals. `skip ENG-1` and `ignore ENG-1` name none (Linear). */
export function keysIn(text: string): readonly Reference[] {
  return [...text.matchAll(IN_TITLE)]
    .filter(({ index }) => !/\b(?:skip|ignore)[\s:[(-]*$/iu.test(text.slice(0, index)))
    .map(([said]) => ({ name: said.toUpperCase(), isKey: true, said }));
}
