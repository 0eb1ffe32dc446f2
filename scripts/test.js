// `npm test`: types, lint and format, then every test; the last line counts them, and those that this machine lacks
// something for as skipped. Arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { node } from './build.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const resolve = (name) =>
  createRequire(import.meta.url)
    .resolve(`${name}/package.json`)
    .replace('/package.json', '');

function run(name, ...args) {
  console.log(`\n> ${name}`);
  return spawnSync(node(), args, { cwd: root, stdio: 'inherit' }).status === 0;
}

const report = join(mkdtempSync(join(tmpdir(), 'hookctl-test-')), 'report.json');
const checks = [
  run('types', join(resolve('typescript'), 'bin/tsc'), '--noEmit'),
  run('lint and format', join(resolve('@biomejs/biome'), 'bin/biome'), 'ci', '--error-on-warnings', '.'),
];
const vitest = [join(resolve('vitest'), 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json'];
const complete = run('tests', ...vitest, `--outputFile.json=${report}`, ...process.argv.slice(2));
// Without a report (packing failed, say) nothing ran, and the last line still has to say so.
const nothing = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numFailedTestSuites: 0 };
const results = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : nothing;
const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = results;
rmSync(join(report, '..'), { recursive: true, force: true });

// A file that can't be loaded has no failed test, and must not count as none.
const broken = numFailedTests === 0 && !complete ? Math.max(1, numFailedTestSuites) : 0;
const passed = numPassedTests + checks.filter(Boolean).length;
const failed = numFailedTests + broken + checks.filter((ok) => !ok).length;
console.log(`\n${passed} passed, ${failed} failed, ${numPendingTests} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
