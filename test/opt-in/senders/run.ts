/**
 * `npm run test:senders`, second part: real programs, from npm and Debian into a temporary folder, post to a running
 * hookctl. Of each, its events verify, are named, and make the tasks that the conditions ask for. Names as arguments
 * choose programs; one that can't be had here is skipped and says why.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { alertmanager } from './alertmanager.ts';
import { buildbot } from './buildbot.ts';
import { ghost } from './ghost.ts';
import { CLI, endProgram, type SenderProgram, Stage, startProgram, TOKEN, Unavailable } from './kit.ts';
import { registry } from './registry.ts';
import { strapi } from './strapi.ts';
import { verdaccio } from './verdaccio.ts';
import { zabbix } from './zabbix.ts';

const PROGRAMS = [verdaccio, buildbot, zabbix, registry, alertmanager, strapi, ghost];

const tally = { passed: 0, failed: 0, skipped: 0 };
const chosen = process.argv.slice(2);
const project = mkdtempSync(join(tmpdir(), 'hookctl-senders-'));
// The listing commands run with the same environment.
process.env.HOOKCTL_HOME = join(project, 'data');
process.env.CLAUDE_CONFIG_DIR = join(project, 'claude');
process.env.SENDERS_TOKEN = TOKEN;
let hookctl: ChildProcess | null = null;

try {
  const webhooks = PROGRAMS.map(({ name, commands }) => ({
    ...{ name, provider: name, secretEnv: 'SENDERS_TOKEN', commands },
  }));
  mkdirSync(join(project, 'webhooks'));
  writeFileSync(join(project, 'webhooks.yml'), '');
  writeFileSync(
    join(project, 'webhooks/senders.ts'),
    `import { defineWebhook } from 'hookctl';\nexport default ${JSON.stringify(webhooks)}.map(defineWebhook);\n`,
  );
  hookctl = startProgram(
    process.execPath,
    [CLI, 'serve', '--json', '--port', '0', '--management-port', '0'],
    {
      cwd: project,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ingress = await readyAddress(hookctl);
  for (const program of PROGRAMS)
    if (chosen.length === 0 || chosen.includes(program.name))
      await tryOut(program, new Stage(project, program.name, ingress));
} finally {
  if (hookctl !== null) await endProgram(hookctl);
  rmSync(project, { recursive: true, force: true });
}
console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
process.exitCode = tally.failed > 0 ? 1 : 0;

async function tryOut(program: SenderProgram, stage: Stage): Promise<void> {
  const begun = Date.now();
  try {
    await program.run(stage);
    const seconds = Math.round((Date.now() - begun) / 1000);
    tally.passed += 1;
    console.log(`passed   ${program.name} (${seconds} s): ${stage.titles().join(' | ')}`);
  } catch (error) {
    const isMissing = error instanceof Unavailable;
    tally[isMissing ? 'skipped' : 'failed'] += 1;
    if (isMissing) console.log(`skipped  ${program.name}: ${error.message}`);
    else console.log(`FAILED   ${program.name}:`, error);
  } finally {
    await stage.end();
  }
}

async function readyAddress(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('hookctl was started without a pipe');
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const told = JSON.parse(line) as { readonly type: string; readonly ingress_url: string };
    if (told.type === 'ready') ready.resolve(told.ingress_url);
  });
  void once(child, 'exit').then(([code]) =>
    ready.reject(new Error(`hookctl ended with ${code} before it was ready`)),
  );
  return ready.promise;
}
