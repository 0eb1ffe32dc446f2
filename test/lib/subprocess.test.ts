import { type StdioOptions, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeEnd, programEnvironment, startProcess } from '../../src/lib/process/subprocess.ts';

const run = (
  script: string,
  more: { readonly graceMs?: number; readonly onLine?: (line: string) => void } = {},
) =>
  startProcess({
    program: process.execPath,
    args: ['-e', script],
    env: {},
    howToGet: 'Install it.',
    ...more,
  });

/** A process that ended but that nobody has asked for is none. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('a missing program says how to get it', async () => {
  const options = {
    program: 'no-such-program',
    args: [],
    env: { PATH: '/nowhere' },
    howToGet: 'Install it.',
  };
  await expect(startProcess(options)).rejects.toMatchObject({
    ...{ code: 'program_missing', message: 'no-such-program is not installed', fix: 'Install it.' },
  });
});

test('arguments reach the program as they are, without a shell', async () => {
  const lines: string[] = [];
  const onLine = (line: string) => lines.push(line);
  const args = ['-p', 'process.argv[1]', '$(id); `id` "x" *'];
  const child = await startProcess({ program: process.execPath, args, env: {}, howToGet: '', onLine });
  await child.ended;
  expect(lines).toEqual(['$(id); `id` "x" *']);
});

test('gives out lines whole and without colours, from both streams, the last one too', async () => {
  const lines: string[] = [];
  const script = `process.stdout.write('\\u001b[31mre'); setTimeout(() => { process.stdout.write('d\\u001b[0m\\r\\nlast'); }, 20);`;
  const child = await run(script, { onLine: (line) => lines.push(line) });
  expect(await child.ended).toEqual({ code: 0, signal: null });
  expect(lines).toEqual(['red', 'last']);
  const failed = await run(`console.error('wrong'); process.exitCode = 3`);
  expect(describeEnd('node', await failed.ended, failed.lastLines())).toBe('node ended with status 3: wrong');
});

test('keeps the last lines only, safe to show', async () => {
  const child = await run(`for (let i = 1; i <= 99; i++) console.log('line ' + i + '\\u202e')`);
  await child.ended;
  expect(child.lastLines()).toHaveLength(20);
  expect(child.lastLines().at(-1)).toBe('line 99⟦U+202E⟧');
});

test('a program that ignores SIGTERM is killed, with all it started', async () => {
  const pids: number[] = [];
  const grandchild = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log(process.pid)`;
  const script = `process.on('SIGTERM', () => {});
    require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' });
    setInterval(() => {}, 1000)`;
  const started = Promise.withResolvers<void>();
  const child = await run(script, {
    graceMs: 100,
    onLine: (line) => {
      pids.push(Number(line));
      started.resolve();
    },
  });
  await started.promise;
  expect(await child.stop()).toMatchObject({ signal: 'SIGKILL' });
  for (const pid of [child.pid, ...pids]) expect(isAlive(pid)).toBe(false);
});

test('what a program leaves behind does not keep us waiting for its output', async () => {
  const script = `const left = require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 5000)'],
      { detached: true, stdio: 'inherit' });
    left.unref();
    console.log(left.pid)`;
  const child = await run(script);
  expect(await child.ended).toEqual({ code: 0, signal: null });
  process.kill(Number(child.lastLines()[0]), 'SIGKILL');
});

test('a program that ends at SIGTERM is not waited for', async () => {
  const child = await run('setInterval(() => {}, 1000)', { graceMs: 60_000 });
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
});

test.runIf(process.platform === 'linux')('what hookctl itself inherited is not passed on', async () => {
  const module = new URL('../../src/lib/process/subprocess.ts', import.meta.url);
  const script = `const { startProcess } = await import('${module}');
    const args = ['-l', '/proc/self/fd'];
    const ls = await startProcess({ program: 'ls', args, env: process.env, howToGet: '', onLine: (line) => console.log(line) });
    await ls.ended`;
  const inherited = openSync(import.meta.filename, 'r');
  const stdio: StdioOptions = ['ignore', 'pipe', 'inherit', ...Array<'ignore'>(17).fill('ignore'), inherited];
  const args = ['--input-type=module', '-e', script];
  const child = spawnSync(process.execPath, args, { stdio, encoding: 'utf8' });
  closeSync(inherited);
  expect(child.stdout).toMatch(/ 20 -> \/dev\/null$/m);
  expect(child.stdout).not.toContain(import.meta.filename);
});

test('foreign programs get no secrets unless they are named', () => {
  const env = { PATH: '/bin', GITHUB_WEBHOOK_SECRET: 'x', NGROK_AUTHTOKEN: 'y', HTTPS_PROXY: 'z' };
  expect(programEnvironment(env)).toEqual({ PATH: '/bin', HTTPS_PROXY: 'z' });
  expect(programEnvironment(env, 'NGROK_AUTHTOKEN')).toMatchObject({ NGROK_AUTHTOKEN: 'y' });
});
