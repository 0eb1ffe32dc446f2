import { HtmlRenderer, Parser } from 'commonmark';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { parse } from 'parse5';

/** How a place of a text is shown. */
export type Shown = 'spoken' | 'quoted' | 'code' | 'hidden';

interface HtmlNode {
  readonly nodeName: string;
  readonly value?: string;
  readonly childNodes?: readonly HtmlNode[];
  readonly content?: HtmlNode;
}

const QUOTES = ['blockquote', 'q'];
const CODE = ['pre', 'code', 'kbd', 'samp', 'tt', 'xmp', 'plaintext'];
const HIDDEN = [
  '#comment',
  'script',
  'style',
  'textarea',
  'title',
  'template',
  'iframe',
  'noembed',
  'noframes',
];

/**
 * How GitHub Flavored Markdown shows the first `word` of a text: micromark with its GFM extensions renders it, parse5 reads the page as
 * a browser does. Where the text has nothing of GFM's own, commonmark.js is asked as well; null when the two do not agree, because one
 * of them leaves the specification.
 */
export function shownAs(text: string, word: string): Shown | null {
  const html = micromark(text, {
    allowDangerousHtml: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
  const shown = shownIn(html, word);
  if (/\|[ \t]*:?-|-:?[ \t]*\||\[\^/.test(text)) return shown;
  const other = shownIn(new HtmlRenderer().render(new Parser().parse(text)), word);
  return (other === 'spoken') === (shown === 'spoken') ? shown : null;
}

function shownIn(html: string, word: string): Shown {
  return find(parse(html) as HtmlNode, word, []) ?? 'hidden';
}

function find(node: HtmlNode, word: string, ancestors: readonly string[]): Shown | null {
  if (node.value?.includes(word)) return shown([...ancestors, node.nodeName], node.value);
  const inside = [...ancestors, node.nodeName];
  for (const child of [...(node.childNodes ?? []), ...(node.content === undefined ? [] : [node.content])]) {
    const found = find(child, word, inside);
    if (found !== null) return found;
  }
  return null;
}

function shown(nodes: readonly string[], text: string): Shown {
  const isOne = (names: readonly string[]) => nodes.some((name) => names.includes(name));
  if (isOne(HIDDEN) || (nodes.includes('a') && /^(?:https?:|www\.|mailto:)/.test(text))) return 'hidden';
  if (isOne(QUOTES)) return 'quoted';
  return isOne(CODE) ? 'code' : 'spoken';
}
