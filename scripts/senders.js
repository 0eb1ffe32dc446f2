// Writes the table of presets into docs/senders.md, from src/providers/presets/list.ts: `node scripts/senders.js`;
// `node scripts/senders.js --check` fails where it is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PROVIDERS } from '../src/providers/facts.ts';
import { PRESETS } from '../src/providers/presets/list.ts';

const page = fileURLToPath(new URL('../docs/senders.md', import.meta.url));

/** A cell in which nothing ends the cell, or is taken for a template. */
const cell = (text) => text.replaceAll('|', '\\|');

function proof({ scheme = 'hmac', header, signature, algorithm, signedContent }) {
  const place = signature ?? header;
  const how = algorithm === undefined ? scheme : `${scheme} ${algorithm}`;
  const over = signedContent === undefined ? '' : ` over \`${signedContent}\``;
  return `${how}${place === undefined ? '' : `, \`${place}\``}${over}`;
}

function table() {
  const rows = Object.entries(PRESETS).map(([name, { settings, setUp, source, reply }]) => {
    const { label, samples } = PROVIDERS[name];
    const events = samples.map((type) => `\`${type}\``).join(', ');
    const answered = reply === undefined ? '' : ' Replies.';
    return `| \`${name}\` | ${label} | ${cell(proof(settings))} | ${events} | ${cell(setUp)}${answered} (${source}) |`;
  });
  const head = '| provider | sender | proof | events of its samples | set up |\n|---|---|---|---|---|';
  return `${head}\n${rows.join('\n')}`;
}

const [before, rest = ''] = readFileSync(page, 'utf8').split(
  '<!-- presets: made by scripts/senders.js -->\n',
);
const [old = '', after = ''] = rest.split('\n<!-- /presets -->');
const made = table();
if (process.argv.includes('--check')) {
  if (old !== made) {
    console.error('docs/senders.md shows other presets: run node scripts/senders.js');
    process.exitCode = 1;
  }
} else {
  writeFileSync(
    page,
    `${before}<!-- presets: made by scripts/senders.js -->\n${made}\n<!-- /presets -->${after}`,
  );
}
