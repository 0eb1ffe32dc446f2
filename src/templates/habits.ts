/** Something in a template that another language writes so; `index` is where it begins in the source. */
interface Habit {
  readonly index: number;
  readonly message: string;
}

interface Rule {
  readonly pattern: RegExp;
  /** What to write instead. `match` is the pattern's, `tag` the whole expression without its braces. */
  readonly advice: (match: RegExpExecArray, tag: string) => string;
}

const PATH = /@?[A-Za-z_$][\w$@.?[\]'"/-]*/.source;
const HELPERS = 'helpers are json, truncate, default, date, lower, upper and join';

/** The first rule that fits names the mistake, so `?.` stands before `?`, and `||` before `|`. */
const RULES: readonly Rule[] = [
  {
    pattern: new RegExp(`(${PATH})\\s*(?:\\|\\||\\?\\?)\\s*([^\\s)]*)`),
    advice: ([, path = '', other = '']) => `write default ${plain(path)} ${fallback(other)}`,
  },
  {
    pattern: /@?[\w.]+\?\.?[\w.?[\]'"-]*/,
    advice: ([path], tag) =>
      /\?\s/.test(tag) && tag.includes(':')
        ? `write {{#if ${plain(path)}}}…{{else}}…{{/if}}`
        : `write ${plain(path)}: missing values render empty`,
  },
  { pattern: /&&/, advice: () => 'write one block inside the other: {{#if a}}{{#if b}}…{{/if}}{{/if}}' },
  {
    pattern: /[=!]==?|\s[<>]=?\s/,
    advice: () => 'templates compare nothing; write it as a condition of the command',
  },
  {
    pattern: new RegExp(`(${PATH})\\s+\\?\\s`),
    advice: ([, path = '']) => `write {{#if ${plain(path)}}}…{{else}}…{{/if}}`,
  },
  { pattern: /(?:^|[\s(])!(@?[\w.]+)/, advice: ([, path]) => `write {{#unless ${path}}}…{{/unless}}` },
  {
    pattern: /\w\(/,
    advice: () => `templates call nothing by parentheses; ${HELPERS}: {{upper issue.title}}`,
  },
  {
    pattern: /@?[A-Za-z_][\w.]*\[[^\]]*\][\w.[\]'"]*/,
    advice: ([path]) => `write ${plain(path)}`,
  },
  {
    pattern: new RegExp(`(${PATH})\\s*\\|\\s*(\\w+)`),
    advice: ([, path = '', name = '']) => `write the helper first: ${name} ${plain(path)}; ${HELPERS}`,
  },
  { pattern: /\s\+\s|\s\+$/, advice: () => 'write one expression beside the other: {{a}}{{b}}' },
  { pattern: /^(\.[A-Za-z_][\w.]*)$/, advice: ([, path = '']) => `write ${path.slice(1)}` },
  {
    pattern: /@?[A-Za-z_][\w.]*!(?=$|[\s.)])[\w.!]*/,
    advice: ([path]) => `write ${path.replaceAll('!', '')}`,
  },
];

/**
 * Finds the first expression of JavaScript or of another template language: Handlebars takes some for names that no
 * payload has (and renders nothing), and says of others only that it cannot read them. Null when there is none.
 */
export function findHabit(source: string): Habit | null {
  for (const match of source.matchAll(
    /(\\?)\{\{\{?([^{}]*(?:\}(?!\})[^{}]*)*)\}\}|\$\{\s*(@?[A-Za-z_]\w*\??\.[^{}]*?)\s*\}/g,
  )) {
    const [all, backslash, inner, placeholder] = match;
    if (backslash === '\\') continue;
    const advice = placeholder === undefined ? adviceFor(inner ?? '') : `write {{${plain(placeholder)}}}`;
    if (advice === null) continue;
    const seen = placeholder === undefined ? (inner ?? '').trim() : all;
    return { index: match.index, message: `${shortened(seen)} cannot be read; ${advice}` };
  }
  return null;
}

/** Longer expressions are not looked at: the rules take time that grows with the square of the length. */
const MAX_EXPRESSION = 1_000;

function adviceFor(inner: string): string | null {
  if (inner.length > MAX_EXPRESSION) return null;
  const tag = inner.replace(/^~|~$/g, '').trim();
  // A comment; one that holds nothing but a path was meant as a negation.
  if (tag.startsWith('!')) {
    return /^!@?\w+(?:\.\w+)+$/.test(tag) ? `write {{#unless ${tag.slice(1)}}}…{{/unless}}` : null;
  }
  const code = withoutTexts(tag.replace(/^[#^/&>]\s*/, ''));
  for (const { pattern, advice } of RULES) {
    const match = pattern.exec(code);
    if (match !== null) return advice(match, code);
  }
  return null;
}

/** Texts, block parameters and `.[a name]` are Handlebars' own. Brackets keep what they hold. */
function withoutTexts(tag: string): string {
  return tag
    .replace(/\sas\s*\|[^|]*\|\s*$/, '')
    .replace(/(^|[^?])\.\[[^\]]*\]/g, '$1.x')
    .replace(/(\[\s*)?(["'])(?:(?!\2).)*\2/g, (text, bracket) => (bracket === undefined ? '""' : text));
}

/** A path of another language as a path here: `issue?.labels[0]['name']` → `issue.labels.0.name`. */
function plain(path: string): string {
  return path
    .replace(/\?/g, '')
    .replace(/\[\s*(["']?)([^\]"']*)\1\s*\]/g, '.$2')
    .replace(/\.{2,}/g, '.')
    .replace(/^\.|\.$/g, '');
}

function fallback(other: string): string {
  return other === '' || other.startsWith('"') ? '"…"' : plain(other);
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
