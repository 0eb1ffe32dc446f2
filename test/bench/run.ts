/**
 * `npm run bench`: figures as ratios within this one run, interleaved, medians. Absolute figures differ from machine
 * to machine; what holds is how hookctl stands to a receiver that stores nothing.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROUNDS = 5;
const REQUESTS = 4_000;
const STARTS = 15;

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const hookctl = here('../../bin/hookctl.js');
const folder = mkdtempSync(join(tmpdir(), 'hookctl-bench-'));
const secret = 'bench-secret';
const children: ChildProcess[] = [];

interface Load {
  readonly accepted: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

try {
  const payload = writePayload();
  const baseline = await start([here('baseline.ts'), secret], (line) => `http://127.0.0.1:${line.port}`);
  const serve = await start([hookctl, 'serve', '--json', '--port', '0', '--management-port', '0'], (line) =>
    line.type === 'ready' ? String(line.ingress_url) : null,
  );
  const loads: { readonly bare: Load; readonly own: Load }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const bare = load(baseline, '/webhooks/github', payload);
    const own = load(serve, '/webhooks/github', payload);
    // The first round warms both up.
    if (round > 0) loads.push({ bare, own });
  }
  const starts = Array.from({ length: STARTS }, () => ({
    node: milliseconds(['-e', '0']),
    version: milliseconds([hookctl, '--version']),
  }));
  print(loads, starts);
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map((child) => child.exitCode ?? new Promise((end) => child.once('exit', end))));
  rmSync(folder, { recursive: true, force: true });
}

/** A real `issues.labeled` payload: no command of the built-in webhook fires on it. */
function writePayload(): string {
  const file = createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json');
  const all = JSON.parse(readFileSync(file, 'utf8')) as { name: string; examples: { action?: string }[] }[];
  const example = all
    .find(({ name }) => name === 'issues')
    ?.examples.find(({ action }) => action === 'labeled');
  const path = join(folder, 'payload.json');
  writeFileSync(path, JSON.stringify(example));
  return path;
}

async function start(
  args: readonly string[],
  address: (line: Record<string, unknown>) => string | null,
): Promise<string> {
  const env = {
    ...process.env,
    HOOKCTL_HOME: join(folder, 'data'),
    CLAUDE_CONFIG_DIR: join(folder, 'claude'),
    GITHUB_WEBHOOK_SECRET: secret,
  };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const found = address(JSON.parse(line) as Record<string, unknown>);
    if (found !== null) ready.resolve(found);
  });
  return ready.promise;
}

function load(origin: string, path: string, payload: string): Load {
  const args = [here('load.ts'), origin, path, secret, String(REQUESTS), payload];
  const result = JSON.parse(spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout) as Load;
  if (result.accepted !== REQUESTS) throw new Error(`${origin} accepted ${result.accepted} of ${REQUESTS}`);
  return result;
}

function milliseconds(args: readonly string[]): number {
  const begin = performance.now();
  spawnSync(process.execPath, args);
  return performance.now() - begin;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

function print(
  loads: readonly { bare: Load; own: Load }[],
  starts: readonly { node: number; version: number }[],
): void {
  const rows = [
    [
      'accept: verified, parsed, fsync’d, 202',
      'bare node:http that verifies and parses, stores nothing',
      median(loads.map(({ bare, own }) => own.perSecond / bare.perSecond)).toFixed(2),
    ],
    [
      '`hookctl --version`',
      '`node -e 0`',
      median(starts.map(({ node, version }) => version / node)).toFixed(2),
    ],
  ];
  console.log('| line | against | ratio |\n|---|---|--:|');
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
  const own = loads.map((each) => each.own);
  console.error(
    `accept here: ${median(own.map(({ perSecond }) => perSecond)).toFixed(0)} requests/s, p50 ${median(own.map(({ p50 }) => p50)).toFixed(1)} ms, p99 ${median(own.map(({ p99 }) => p99)).toFixed(1)} ms`,
  );
}
