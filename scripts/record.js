// Records docs/images/terminal.svg from a real run: `node scripts/record.js` (needs `script` of util-linux and the free ports 8000 and 8001).
// Two terminals of 80 columns: `serve` above, commands below. Texts and colours are those of hookctl; only the folder of the
// recording is written as that of a home, and pauses are shortened.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FILE = join(ROOT, 'docs/images/terminal.svg');
const COMMANDS = [
  ['hookctl', 'trigger', 'github', 'issue_comment.created', '--text', '@agent analyze why login fails'],
  ['hookctl', 'explain', 'DELIVERY'],
  ['hookctl', 'replay', 'DELIVERY'],
];
/** Rows of the terminals, in lines. */
const ROWS = [13, 25];
const [LINE, COLUMN, EDGE] = [17, 7.85, 14];
/** Seconds: what a reader gets for a command, for its output, and at the end. */
const [TYPED, READ, LAST] = [1.2, 2.6, 6];

const home = mkdtempSync(join(tmpdir(), 'hookctl-record-'));
const project = join(home, 'api');
mkdirSync(join(home, '.claude'));
mkdirSync(project);
const env = {
  HOME: home,
  PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
  TERM: 'xterm-256color',
};
const shown = (word) => (/[ @]/.test(word) ? `"${word}"` : word);

/** Starts hookctl on a terminal of its own. `text()` is what it has printed. */
function onTerminal(args) {
  const words = [process.execPath, join(ROOT, 'bin/hookctl.js'), ...args].map((word) => `'${word}'`);
  const child = spawn('script', ['-qfec', `stty cols 80 rows 50; exec ${words.join(' ')}`, '/dev/null'], {
    cwd: project,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more) => {
    text += more;
  });
  const ended = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { child, ended, text: () => text };
}

const linesOf = (text) => text.replaceAll(home, '/home/you').replaceAll('\r', '').trimEnd().split('\n');

/** @type {[{ at: number, text: string }[], { at: number, text: string }[]]} */
const panes = [[], []];
let clock = 0;
const serve = onTerminal(['serve']);
try {
  panes[0].push({ at: 0, text: '\x1b[1m$ hookctl serve\x1b[22m' });
  for (let tries = 0; !serve.text().includes('Ready on'); tries += 1) {
    if (tries > 150) throw new Error(`serve is not ready: ${serve.text()}`);
    await pause(100);
  }
  clock += TYPED;
  let told = 0;
  const follow = () => {
    const lines = linesOf(serve.text());
    panes[0].push(...lines.slice(told).map((text) => ({ at: clock, text })));
    told = lines.length;
  };
  follow();
  let delivery = '';
  for (const command of COMMANDS) {
    const words = command.map((word) => (word === 'DELIVERY' ? delivery : word));
    clock += TYPED;
    panes[1].push({ at: clock, text: `\x1b[1m$ ${words.map(shown).join(' ')}\x1b[22m` });
    const run = onTerminal(words.slice(1));
    if ((await run.ended) !== 0) throw new Error(run.text());
    delivery ||= /dlv-\w+/.exec(run.text())?.[0] ?? '';
    await pause(500);
    clock += TYPED;
    panes[1].push(...linesOf(run.text()).map((text) => ({ at: clock, text })), { at: clock, text: '' });
    follow();
    clock += READ;
  }
} finally {
  serve.child.kill('SIGTERM');
  await serve.ended;
  rmSync(home, { recursive: true, force: true });
}

const end = clock + LAST;
const percent = (at) => `${((at / end) * 100).toFixed(1)}%`;
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const CLASSES = { 1: 'b', 2: 'd', 31: 'r', 32: 'g', 33: 'y', 36: 'c' };
const OFF = { 22: ['b', 'd'], 39: ['r', 'g', 'y', 'c'], 0: ['b', 'd', 'r', 'g', 'y', 'c'] };

/** A line with its colours: behind each escape are the numbers of styles, up to `m`. */
function spans(text) {
  let on = [];
  const [first = '', ...styled] = text.split('\x1b[');
  const parts = styled.map((part) => {
    const codes = part.slice(0, part.indexOf('m'));
    for (const code of codes.split(';')) {
      on = on.filter((each) => !(OFF[code || 0] ?? []).includes(each));
      if (CLASSES[code] !== undefined) on.push(CLASSES[code]);
    }
    const rest = escaped(part.slice(codes.length + 1));
    return rest === '' || on.length === 0 ? rest : `<tspan class="${on.join(' ')}">${rest}</tspan>`;
  });
  return escaped(first) + parts.join('');
}

const rules = [];
const width = Math.ceil(80 * COLUMN) + 2 * EDGE;
let top = 0;
const drawn = panes.map((lines, index) => {
  const rows = ROWS[index];
  const height = rows * LINE + 2 * EDGE;
  const times = [...new Set(lines.map(({ at }) => at))];
  const name = `s${index}`;
  const steps = times.map((at) => {
    const count = lines.filter((line) => line.at <= at).length;
    return `${percent(at)}{transform:translateY(${-Math.max(0, count - rows) * LINE}px)}`;
  });
  rules.push(`@keyframes ${name}{${steps.join('')}}`);
  rules.push(
    `.${name}{animation:${name} ${end.toFixed(1)}s step-end infinite;transform:translateY(${-Math.max(0, lines.length - rows) * LINE}px)}`,
  );
  const groups = times.map((at) => {
    const moment = `t${index}${String(at.toFixed(1)).replace('.', '_')}`;
    if (at > 0) {
      rules.push(`@keyframes ${moment}{0%{opacity:0}${percent(at)}{opacity:1}}`);
      rules.push(`.${moment}{animation:${moment} ${end.toFixed(1)}s step-end infinite}`);
    }
    const texts = lines.flatMap((line, row) =>
      line.at === at && line.text !== ''
        ? [`<text x="${EDGE}" y="${EDGE + (row + 0.75) * LINE}">${spans(line.text)}</text>`]
        : [],
    );
    return `<g class="${moment}">${texts.join('\n')}</g>`;
  });
  const pane = `<svg y="${top}" width="${width}" height="${height}"><rect width="100%" height="100%" rx="8"/><svg x="0" y="${EDGE}" width="${width}" height="${rows * LINE}"><g transform="translate(0 ${-EDGE})"><g class="${name}">${groups.join('\n')}</g></g></svg></svg>`;
  top += height + 8;
  return pane;
});

writeFileSync(
  FILE,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top - 8}" viewBox="0 0 ${width} ${top - 8}" role="img" aria-label="hookctl serve in one terminal; trigger, explain and replay in another">
<style>
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d6deeb;white-space:pre}
rect{fill:#0f1720}.b{font-weight:bold;fill:#fff}.d{fill:#8395a7}.r{fill:#ff7b72}.g{fill:#5ec98b}.y{fill:#e3b341}.c{fill:#56b6c2}
${rules.join('\n')}
@media (prefers-reduced-motion:reduce){*{animation:none!important}}
</style>
${drawn.join('\n')}
</svg>
`,
);
console.log(`wrote ${FILE}: ${end.toFixed(0)} s`);
