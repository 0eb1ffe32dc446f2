/**
 * `npm run test:answer-times`: how long the providers that have a limit wait for their answer, while 1,000 deliveries
 * are being worked off. Prints milliseconds, and fails where an answer took longer than its provider waits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { secret } from '../../src/lib/redact/redact.ts';
import { providerNamed } from '../support/providers.ts';

const BACKLOG = 1_000;
/** Milliseconds that a provider waits: docs.slack.dev, "Responding to requests"; docs.sentry.io, "Webhooks". */
const LIMITS = { slack: 3_000, sentry: 1_000 } as const;
const ASKED = [
  { provider: 'slack', type: 'url_verification' },
  { provider: 'slack', type: 'slash_command' },
  { provider: 'slack', type: 'block_actions' },
  { provider: 'slack', type: 'app_mention' },
  { provider: 'sentry', type: 'issue.created' },
] as const;
const ROUNDS = 20;
/** Under the 256 connections that the ingress takes. */
const SENDERS = 50;

const folder = mkdtempSync(join(tmpdir(), 'hookctl-answers-'));
const data = join(folder, 'data');
let number = 1_000;
const nextNumber = () => ++number;
const { child, url } = await start();
try {
  let left = BACKLOG;
  const backlog = Array.from({ length: SENDERS }, async () => {
    while (left-- > 0) await backlogged();
  });
  const times = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { provider, type } of ASKED) {
      const begin = performance.now();
      await post(provider, type);
      const key = `${provider} ${type}`;
      times.set(key, [...(times.get(key) ?? []), performance.now() - begin]);
    }
  }
  await Promise.all(backlog);
  for (const [key, all] of times) {
    const sorted = all.toSorted((left, right) => left - right);
    const [median = 0, worst = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    const limit = LIMITS[key.split(' ')[0] as keyof typeof LIMITS];
    const isLate = worst > limit;
    if (isLate) process.exitCode = 1;
    console.log(
      `${key.padEnd(24)} median ${median.toFixed(0)} ms, worst of ${all.length}: ${worst.toFixed(0)} ms${isLate ? ` ✗ more than ${limit} ms` : ''}`,
    );
  }
} finally {
  child.kill('SIGTERM');
  await new Promise((end) => child.once('exit', end));
  rmSync(folder, { recursive: true, force: true });
}

async function start(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const cli = fileURLToPath(new URL('../../bin/hookctl.js', import.meta.url));
  const env = { ...process.env, HOOKCTL_HOME: data, CLAUDE_CONFIG_DIR: join(folder, 'claude') };
  const args = [cli, 'serve', '--json', '--port', '0', '--management-port', '0'];
  const process_ = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ready = Promise.withResolvers<string>();
  createInterface({ input: process_.stdout }).on('line', (line) => {
    const told = JSON.parse(line) as { readonly type: string; readonly ingress_url: string };
    if (told.type === 'ready') ready.resolve(told.ingress_url);
  });
  return { child: process_, url: await ready.promise };
}

/** A comment on an issue of its own that makes a task. */
async function backlogged(): Promise<void> {
  const payload = providerNamed('github')?.samples[0]?.build({
    text: '@agent analyze',
    now: new Date(),
    nextNumber,
  });
  const body = JSON.stringify({ ...payload, nonce: randomUUID() });
  const signature = createHmac('sha256', keyOf('github')).update(body).digest('hex');
  const response = await fetch(`${url}/webhooks/github`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'issue_comment',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${signature}`,
    },
  });
  if (response.status !== 202) throw new Error(`the backlog was answered ${response.status}`);
}

async function post(name: string, type: string): Promise<void> {
  const provider = providerNamed(name);
  const now = new Date();
  const sample = provider?.samples
    .find((each) => each.type === type)
    ?.build({ text: 'help', now, nextNumber });
  const context = { type, secret: secret(keyOf(name)), deliveryId: randomUUID(), now };
  const request = provider?.sign(Buffer.from(JSON.stringify(sample)), context);
  const response = await fetch(`${url}/webhooks/${name}`, { ...request, method: 'POST' });
  if (!response.ok) throw new Error(`${name} ${type} was answered ${response.status}`);
}

function keyOf(name: string): string {
  return readFileSync(join(data, 'secrets', name), 'utf8').trim();
}
