import type { MarkdownDialect } from './leaves.ts';

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
export function formulaEnds(text: string, math: MarkdownDialect['math']): (at: number) => number | null {
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
