// `npm run test:nodes [-- 22 26]`: the end-to-end suite over one packed install, on each Node that hookctl supports. The
// last line counts; a Node that can't be installed counts as one skipped.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { installPacked, PREFIX_VARIABLE } from '../test/setup/packed.ts';
import { conclude, runTests } from './test.js';

const MAJORS = ['22', '24', '26'];

const folder = mkdtempSync(join(tmpdir(), 'hookctl-nodes-'));
let prefix;
try {
  prefix = installPacked();
  const named = process.argv.slice(2);
  const counts = (named.length > 0 ? named : MAJORS).map((major) => testOn(major));
  const sum = (key) => counts.reduce((all, each) => all + each[key], 0);
  process.exitCode = conclude({ passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') });
} finally {
  rmSync(folder, { recursive: true, force: true });
  if (prefix !== undefined) rmSync(prefix, { recursive: true, force: true });
}

function testOn(major) {
  const binary = install(major);
  if (binary === null) {
    console.log(`\n> Node ${major} can't be installed: skipped`);
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const env = {
    ...process.env,
    PATH: `${dirname(binary)}${delimiter}${process.env.PATH}`,
    [PREFIX_VARIABLE]: prefix,
  };
  const counted = runTests(`Node ${major}`, binary, ['test/e2e'], env);
  console.log(
    `Node ${major}: ${counted.passed} passed, ${counted.failed} failed, ${counted.skipped} skipped`,
  );
  return counted;
}

/** The package `node` brings a Node of that major. */
function install(major) {
  const place = join(folder, major);
  mkdirSync(place);
  // The Node itself comes with its install script, which npm runs only where that is allowed.
  writeFileSync(join(place, 'package.json'), JSON.stringify({ private: true, allowScripts: { node: true } }));
  const npm = ['install', '--prefix', place, '--no-audit', '--no-fund', `node@${major}`];
  const installed = spawnSync('npm', npm, { stdio: ['ignore', 'ignore', 'inherit'] });
  const binary = join(place, 'node_modules/node/bin/node');
  const version = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout;
  return installed.status === 0 && version?.startsWith(`v${major}.`) ? binary : null;
}
