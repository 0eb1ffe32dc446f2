// `npm test`: types, lint and format, then every test but the long ones (test/setup/long.ts), which `npm run test:long`
// runs. `--opt-in <files>` runs those of test/opt-in that are named. The last line counts them, and those that this machine
// lacks something for as skipped. Other arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LONG } from '../test/setup/long.ts';
import { node } from './build.js';

/** From here on a file belongs to the long ones, whatever the machine. */
const LONG_MS = 20_000;
const root = fileURLToPath(new URL('..', import.meta.url));
const resolve = (name) =>
  createRequire(import.meta.url)
    .resolve(`${name}/package.json`)
    .replace('/package.json', '');

function run(name, program, args, env = process.env) {
  console.log(`\n> ${name}`);
  return spawnSync(program, args, { cwd: root, stdio: 'inherit', env }).status === 0;
}

/** Runs tests on a Node, and counts them. */
export function runTests(name, program, args, env) {
  const { complete, results } = vitest(name, program, args, env);
  for (const { name: file, startTime, endTime } of results.testResults) {
    const path = relative(root, file);
    if (endTime - startTime > LONG_MS && !LONG.includes(path) && !path.startsWith(OPT_IN)) {
      console.log(`${path} took ${Math.round((endTime - startTime) / 1000)} s: see test/setup/long.ts`);
    }
  }
  const { numPassedTests, numFailedTests, numPendingTests: skipped, numFailedTestSuites } = results;
  // A file that can't be loaded has no failed test, and must not count as none.
  const broken = numFailedTests === 0 && !complete ? Math.max(1, numFailedTestSuites) : 0;
  const crashed = results.testResults.filter(hasCrashed);
  if (crashed.length === 0 || crashed.length < broken) {
    return { passed: numPassedTests, failed: numFailedTests + broken, skipped };
  }
  return again(name, program, { args, env, crashed, results });
}

function vitest(name, program, args, env) {
  const report = join(mkdtempSync(join(tmpdir(), 'hookctl-test-')), 'report.json');
  const command = [join(resolve('vitest'), 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json'];
  const complete = run(name, program, [...command, `--outputFile.json=${report}`, ...args], env);
  // Without a report (packing failed, say) nothing ran, and the last line still has to say so.
  const nothing = {
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numFailedTestSuites: 0,
    testResults: [],
  };
  const results = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : nothing;
  rmSync(join(report, '..'), { recursive: true, force: true });
  return { complete, results };
}

/** Whether the process of a file ended before its tests did: none of them failed, and nothing was thrown. */
function hasCrashed({ status, message, assertionResults }) {
  const states = assertionResults.map((each) => each.status);
  return status === 'failed' && message === '' && !states.includes('failed') && states.includes('pending');
}

/**
 * Runs files once more whose process Node itself ended (SIGSEGV was seen once in some hundred runs, and in none of 40 of
 * that file alone). A crash that comes again is a failure.
 */
function again(name, program, { args, env, crashed, results }) {
  const files = crashed.map((each) => relative(root, each.name));
  console.log(`\nthe test process crashed in ${files.join(', ')}; once more:`);
  // Without the files that were asked for.
  const flags = args.filter((arg, index) => arg.startsWith('-') || args[index - 1]?.startsWith('-'));
  const second = vitest(`${name}, once more`, program, [...flags, ...files], env);
  const lost = crashed.flatMap((each) => each.assertionResults);
  const count = (status) => lost.filter((each) => each.status === status).length;
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = second.results;
  return {
    passed: results.numPassedTests - count('passed') + numPassedTests,
    failed: results.numFailedTests + (second.complete ? 0 : Math.max(1, numFailedTests, numFailedTestSuites)),
    skipped: results.numPendingTests - count('skipped') + numPendingTests,
  };
}

/** Prints the last line, and returns the exit status. */
export function conclude({ passed, failed, skipped }) {
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 ? 0 : 1;
}

const OPT_IN = 'test/opt-in/';

/** What vitest is called with. */
function chosen(first, others) {
  switch (first) {
    case undefined:
      return ['--project', 'parts', '--project', 'packed'];
    case '--long':
      return ['--project', 'long', ...others];
    case '--opt-in':
      return ['--config', `${OPT_IN}vitest.config.ts`, ...others];
    default:
      return [first, ...others];
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [first, ...others] = process.argv.slice(2);
  const checks = ['--long', '--opt-in'].includes(first)
    ? []
    : [
        run('types', node(), [join(resolve('typescript'), 'bin/tsc'), '--noEmit']),
        run('lint and format', node(), [
          join(resolve('@biomejs/biome'), 'bin/biome'),
          'ci',
          '--error-on-warnings',
          '.',
        ]),
      ];
  const { passed, failed, skipped } = runTests('tests', node(), chosen(first, others));
  process.exitCode = conclude({
    passed: passed + checks.filter(Boolean).length,
    failed: failed + checks.filter((ok) => !ok).length,
    skipped,
  });
}
