// Draws the rooms of src/ and their imports into ARCHITECTURE.md: `node scripts/rooms.js` writes the picture,
// `node scripts/rooms.js --check` fails where it is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');
const page = join(root, 'ARCHITECTURE.md');

/** Rooms of their own inside another room. */
const INNER = ['agents/scheduler', 'tunnels/drivers'];
/** Everything imports these: their arrows would hide the others. */
const EVERYWHERE = ['lib', 'types', 'errors', 'package-root'];

/** `providers/github/parse.ts` → `providers`; `cli.ts` → `cli`. */
function roomOf(file) {
  const parts = relative(src, file).replace(/\.ts$/, '').split('/');
  const inner = parts.slice(0, 2).join('/');
  return INNER.includes(inner) ? inner : parts[0];
}

/** Room → the rooms that its code imports at run time. */
function importsOfRooms() {
  const rooms = new Map();
  for (const name of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const file = join(src, name);
    const text = readFileSync(file, 'utf8');
    const own = roomOf(file);
    const found = rooms.get(own) ?? new Set();
    rooms.set(own, found);
    for (const [, specifier] of text.matchAll(
      /(?:^(?:import|export)\s+(?!type\b)[^;'"]*?from\s+|import\()'(\.[^']+)'/gm,
    )) {
      const other = roomOf(resolve(dirname(file), specifier));
      if (other !== own && !EVERYWHERE.includes(own) && !EVERYWHERE.includes(other)) found.add(other);
    }
  }
  return rooms;
}

/** Leaves out an arrow where a longer way leads to the same room. */
function withoutDetours(rooms) {
  const reach = (from, skip, seen = new Set()) => {
    for (const next of rooms.get(from) ?? []) {
      if ((from === skip[0] && next === skip[1]) || seen.has(next)) continue;
      seen.add(next);
      reach(next, skip, seen);
    }
    return seen;
  };
  return [...rooms].flatMap(([from, targets]) =>
    [...targets].filter((to) => !reach(from, [from, to]).has(to)).map((to) => [from, to]),
  );
}

function picture() {
  const arrows = Map.groupBy(withoutDetours(importsOfRooms()).sort(), ([from]) => from);
  const named = new Set();
  const node = (room) => {
    const id = room.replace(/\W/g, '_');
    if (id === room || named.has(id)) return id;
    named.add(id);
    return `${id}["${room}"]`;
  };
  const lines = [...arrows].map(
    ([from, to]) => `  ${node(from)} --> ${to.map(([, room]) => node(room)).join(' & ')}`,
  );
  return ['```mermaid', 'graph TD', ...lines, '```'].join('\n');
}

const [start, end] = ['<!-- rooms: made by scripts/rooms.js -->', '<!-- /rooms -->'];
const text = readFileSync(page, 'utf8');
const [before, rest] = text.split(start);
const [, after] = (rest ?? '').split(end);
if (after === undefined) throw new Error(`ARCHITECTURE.md has no ${start} … ${end}`);
const next = `${before}${start}\n${picture()}\n${end}${after}`;
if (process.argv.includes('--check')) {
  if (next !== text) {
    process.stderr.write('The picture in ARCHITECTURE.md is out of date: run node scripts/rooms.js\n');
    process.exitCode = 1;
  }
} else writeFileSync(page, next);
