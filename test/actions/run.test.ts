import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openReader } from '../../src/store/local/index.ts';
import { startEngine, type TestEngineOptions } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

const NODE = process.execPath;

/** A command that runs a JavaScript program, given as text. */
function running(script: string, options: Readonly<Record<string, unknown>> = {}): string {
  const command = { name: 'go', action: 'run', options: { program: NODE, args: ['-e', script], ...options } };
  return JSON.stringify({ webhooks: { github: { defaultCommand: 'go', commands: [command] } } });
}

async function runOnce(yaml: string, text = '@agent go', options: TestEngineOptions = {}) {
  const engine = await startEngine({ ...options, yaml });
  const { delivery } = await engine.deliver('github', 'issue_comment.created', undefined, text);
  return { engine, delivery, decision: delivery.decisions[0] };
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a program', () => {
  test('gets the payload on stdin and facts in variables, and its last lines are kept', async () => {
    const script = `let t='';process.stdin.on('data',c=>t+=c).on('end',()=>{
      console.log(JSON.parse(t).comment.body, process.env.HOOKCTL_EVENT_TYPE, process.env.HOOKCTL_ARGUMENT)})`;
    const { delivery, decision } = await runOnce(running(script), '@agent go to prod');
    expect(delivery.status).toBe('processed');
    expect(decision?.reason).toContain(
      'ended with status 0: @agent go to prod issue_comment.created to prod',
    );
  });

  test('gets its arguments unchanged, with options and shell words of a payload nowhere in them', async () => {
    const hostile = '@agent go --dangerous $(touch pwned) `id`; rm -rf / \0 -e evil';
    const script = `console.log(process.argv.length + ' ' + process.argv.slice(1).join('|'))`;
    const args = ['-e', script, '--', '$HOME', '*', '--flag={{comment.body}}'];
    const { engine, decision } = await runOnce(running('', { args }), hostile);
    expect(decision?.reason).toContain('4 $HOME|*|--flag={{comment.body}}');
    expect(existsSync(join(engine.folder, 'pwned'))).toBe(false);
  });

  test('sees nothing of hookctl’s environment but what it needs and what is named', async () => {
    const script = `console.log(Object.keys(process.env).sort().join(' '))`;
    const env = { GITHUB_TOKEN: 'secret', DEPLOY_KEY: 'key', AWS_SECRET: 'x' };
    const { decision } = await runOnce(running(script, { env: ['DEPLOY_KEY'] }), '@agent go', { env });
    expect(decision?.reason).toContain('DEPLOY_KEY');
    expect(decision?.reason).not.toMatch(/GITHUB_TOKEN|AWS_SECRET|WEBHOOK_SECRET/);
  });

  test('that hangs is stopped at its time limit', async () => {
    const { delivery } = await runOnce(running('setInterval(()=>{},1e6)', { timeout: '1s' }));
    expect(delivery).toMatchObject({ status: 'failed', reason: expect.stringContaining('longer than 1 s') });
  });

  test('that ignores SIGTERM is killed, and what it started with it', async () => {
    const script = `process.on('SIGTERM',()=>{});
      const child=require('child_process').spawn(process.execPath,['-e','process.on("SIGTERM",()=>{});setInterval(()=>{},1e6)']);
      require('fs').writeFileSync('pids',process.pid+' '+child.pid);setInterval(()=>{},1e6)`;
    const { engine, delivery } = await runOnce(running(script, { timeout: '1s' }));
    expect(delivery.status).toBe('failed');
    const pids = readFileSync(join(engine.folder, 'pids'), 'utf8').split(' ').map(Number);
    await eventually('all of them to be gone', () => !pids.some(alive));
  });

  test('that prints 1 GB is stopped after the first megabyte', async () => {
    const script = `const c=Buffer.alloc(65536,'x');let n=0;(function w(){while(n++<16384)if(!process.stdout.write(c))return process.stdout.once('drain',w)})()`;
    const before = process.memoryUsage().rss;
    const { delivery } = await runOnce(running(script));
    expect(delivery).toMatchObject({ status: 'failed', reason: expect.stringContaining('more than 1 MB') });
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  test('that fails says so, with its last words', async () => {
    const { delivery } = await runOnce(running(`console.error('no such branch');process.exit(3)`));
    expect(delivery).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/status 3: no such branch/),
    });
  });

  test('that is not there says how to get it', async () => {
    const { delivery } = await runOnce(running('', { program: 'no-such-program-here' }));
    expect(delivery).toMatchObject({ status: 'failed', reason: expect.stringContaining('not installed') });
  });

  test('never runs for an unverified delivery', async () => {
    const yaml = running(`require('fs').writeFileSync('ran','')`).replace(
      '"name":"go"',
      '"name":"go"},{"trigger":"*"',
    );
    const { engine, delivery } = await runOnce(yaml, '@agent go', { insecure: ['github'] });
    expect(delivery.status).toBe('failed');
    expect(existsSync(join(engine.folder, 'ran'))).toBe(false);
  });

  test('is stopped with hookctl, and its delivery stays pending', async () => {
    const yaml = running(`require('fs').writeFileSync('started','');setInterval(()=>{},1e6)`);
    const engine = await startEngine({ yaml });
    const delivered = engine.deliver('github', 'issue_comment.created', undefined, '@agent go').catch(String);
    await eventually('the program to run', () => existsSync(join(engine.folder, 'started')));
    const [delivery] = engine.context.store.deliveries();
    await engine.close();
    expect(await delivered).toContain('closed');
    const reader = openReader({ path: join(engine.folder, '.hookctl', 'hookctl.db') });
    expect(reader?.delivery(delivery?.id ?? '')?.status).toBe('pending');
    reader?.close();
  });
});
