#!/usr/bin/env bash
# Guess: a line that holds one inline tag cannot end a paragraph (CommonMark 0.31.2, 4.6: "the start condition 7 … cannot
# interrupt a paragraph"), so that without its quote or list marker it is a lazy continuation like any other line.
#
# Seen with micromark 4.0.3: as a lazy line it ends the paragraph, and what follows leaves the quote or the item, and
# becomes code where it is indented. commonmark.js 0.31.2 (the reference) and markdown-it 15.0.3 go on with the paragraph.
# Outside quotes and lists micromark does so, too: the rule is lost only where the line is lazy.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent micromark@4.0.3 commonmark@0.31.2 markdown-it@15.0.3
cat > try.mjs <<'JS'
import assert from 'node:assert/strict';
import { HtmlRenderer, Parser } from 'commonmark';
import MarkdownIt from 'markdown-it';
import { micromark } from 'micromark';

const own = (text) => micromark(text, { allowDangerousHtml: true });
const markdownIt = new MarkdownIt('commonmark');
const reference = (text) => new HtmlRenderer().render(new Parser().parse(text));

for (const [text, seen, right] of [
  ['> a\n<br>\nb', '<blockquote>\n<p>a</p>\n<br>\n</blockquote>\n<p>b</p>', '<blockquote>\n<p>a\n<br>\nb</p>\n</blockquote>\n'],
  ['- a\n<br>\nb', '<ul>\n<li>a\n<br></li>\n</ul>\n<p>b</p>', '<ul>\n<li>a\n<br>\nb</li>\n</ul>\n'],
  ['> a\n<br>\n    b', '<blockquote>\n<p>a</p>\n<br>\n</blockquote>\n<pre><code>b\n</code></pre>', '<blockquote>\n<p>a\n<br>\nb</p>\n</blockquote>\n'],
]) {
  console.log(JSON.stringify(text));
  console.log('  micromark:    ', JSON.stringify(own(text)));
  console.log('  commonmark.js:', JSON.stringify(reference(text)));
  assert.equal(own(text), seen);
  assert.equal(reference(text), right);
  assert.equal(markdownIt.render(text), right);
}
// Outside a quote or an item the same line does not end the paragraph.
assert.equal(own('a\n<br>\nb'), '<p>a\n<br>\nb</p>');
console.log('As described.');
JS
timeout 60 node try.mjs
