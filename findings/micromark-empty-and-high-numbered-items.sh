#!/usr/bin/env bash
# Guess: a list item that is empty, or whose number is not 1, may begin anywhere but inside a paragraph
# (CommonMark 0.31.2, 5.2: "an empty list item cannot interrupt a paragraph"), so that after an indented code block it does.
#
# Seen with micromark 4.0.3: after indented code neither begins a list, with or without an empty line between; the marker
# becomes text of a paragraph. After fenced code or a heading both begin one.
# commonmark.js 0.31.2 (the reference), markdown-it 15.0.3 and marked 18.2.1 begin the list. A program that reads
# Markdown with micromark (remark, mdast) sees another structure there than one that renders it with the others.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent micromark@4.0.3 commonmark@0.31.2 markdown-it@15.0.3 marked@18.2.1
cat > try.mjs <<'JS'
import assert from 'node:assert/strict';
import { HtmlRenderer, Parser } from 'commonmark';
import MarkdownIt from 'markdown-it';
import { marked } from 'marked';
import { micromark } from 'micromark';

const markdownIt = new MarkdownIt('commonmark');
const others = {
  'commonmark.js': (text) => new HtmlRenderer().render(new Parser().parse(text)),
  'markdown-it': (text) => markdownIt.render(text),
  marked: (text) => marked.parse(text),
};
for (const [text, list, paragraph] of [
  ['    code\n-\n  item', '<ul>', '<p>-\nitem</p>'],
  ['    code\n\n-\n  item', '<ul>', '<p>-\nitem</p>'],
  ['    code\n10) item', '<ol start="10">', '<p>10) item</p>'],
]) {
  console.log(JSON.stringify(text));
  console.log('  micromark:', JSON.stringify(micromark(text)));
  assert.equal(micromark(text), `<pre><code>code\n</code></pre>\n${paragraph}`);
  for (const [name, render] of Object.entries(others)) {
    console.log(`  ${name}:`, JSON.stringify(render(text)));
    assert.ok(render(text).includes(list), `${name} no longer begins a list`);
  }
}
assert.ok(micromark('# heading\n-\n  item').includes('<ul>'));
assert.ok(micromark('```\ncode\n```\n10) item').includes('<ol start="10">'));
console.log('As described.');
JS
timeout 60 node try.mjs
