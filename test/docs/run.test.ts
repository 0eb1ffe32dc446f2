import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { cli, cliPath } from '../support/cli.ts';
import { blocksOf, linesOf, PAGES } from '../support/docs.ts';
import { signedPost } from '../support/github.ts';
import { tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { type Server, settled, startServe } from '../support/server.ts';

/** What a page takes for granted. */
interface Scene {
  /** Settings of webhooks.yml beside the ports. */
  readonly yaml?: string;
  /** False: no server runs while its commands do. */
  readonly isServed?: boolean;
  /** Shell lines before the first block. */
  readonly before?: string;
}

const ADD = 'hookctl webhook add generic --option header=x-signature --name';
const NIGHTLY =
  'schedules:\n  nightly: { cron: "0 2 * * mon-fri", agent: planning, prompt: Triage the new issues. }\n';

const SIGNED = `node -e '
const { createHmac } = require("node:crypto");
const signature = createHmac("sha256", "a-secret").update("{}").digest("hex");
process.stdout.write("POST /webhooks/inbox HTTP/1.1\\r\\nX-Signature: " + signature + "\\r\\n\\r\\n{}");' > request.txt`;

const SCENES: Readonly<Record<string, Scene>> = {
  'docs/agents.md': { yaml: NIGHTLY },
  'docs/container.md': { isServed: false },
  'docs/moving.md': {
    before: `echo '[{ "id": "greet", "execute-command": "/bin/true", "command-working-directory": "/tmp" }]' > hooks.json`,
  },
  'docs/receiving.md': { before: `${ADD} deploys; ${ADD} sms` },
  'docs/senders.md': { before: `${SIGNED}; exec < <(echo a-secret)` },
  'docs/webhooks.md': {
    before: `cp webhooks.yml webhooks.new.yml; echo '{ "enabled": false }' > change.json`,
  },
};

/** Typed in place of a line, or of a part of it: what needs a service outside asks none. */
const INSTEAD: readonly (readonly [RegExp, string])[] = [
  [/^hookctl connect .*/, '$& --dry-run'],
  [/^hookctl doctor$/, '$& --offline'],
  [/^hookctl dashboard$/, '$& --no-open'],
  [/^hookctl service install\b/, '$& --print'],
  [/^hookctl (?:task prune --samples|workspace prune --any-age)/, '$& --yes'],
  // With the server stopped, as the comment behind it says.
  [/^hookctl restore .*/, 'kill $SERVER; while kill -0 $SERVER 2>/dev/null; do sleep 0.1; done; $& --yes'],
  [/^(curl) (-N .*)/, '$1 -s --max-time 2 $2 || [ $? = 28 ]'],
  [/^npx hookctl/, 'hookctl'],
];

/** Lines that are parsed only, each with what runs it or why nothing does. */
const PARSED: readonly (readonly [RegExp, string])[] = [
  [/^npm ci && npm start$/, 'test/e2e/package.test.ts'],
  [/^npm install -g hookctl$/, 'the registry'],
  [/^hookctl serve --tunnel /, 'a relay outside; test/contracts/tunnels'],
  [/^HOOKCTL_UID=.* docker compose /, 'npm run test:container runs the image'],
  [/^podman /, 'npm run test:container'],
  [/^hookctl service (?:status|logs|restart|uninstall)/, 'npm run test:service'],
  [/^hookctl store import /, 'test/cli'],
  [/^createdb |^hookctl store copy /, 'npm run test:postgres'],
  [/^hookctl recover /, 'nothing is connected here; test/recover'],
  [/^hookctl webhook await /, 'waits for a sender; test/server'],
  [/^(?:cd "\$\()?hookctl workspace (?:open|remove) /, 'test/agents/workspaces.test.ts'],
];

interface Counted {
  blocks: number;
  commands: number;
  run: number;
  instead: number;
  parsed: number;
}
const counted: Counted = { blocks: 0, commands: 0, run: 0, instead: 0, parsed: 0 };

afterAll(() => {
  const { blocks, commands, run, instead, parsed } = counted;
  console.log(
    `docs: ${blocks} shell blocks, ${commands} commands: ${run} run as typed, ${instead} run offline or as a dry run, ${parsed} parsed only`,
  );
});

/** A comment at GitHub, signed. Its delivery's id, once it has been worked off. */
async function send(server: Server, comment: string): Promise<string> {
  const person = { id: 1, login: 'ada', type: 'User' };
  const body = {
    action: 'created',
    issue: { id: 1, number: 1, title: 'Login fails', user: person, state: 'open' },
    comment: { id: randomInt(1_000_000), body: comment, user: person, author_association: 'OWNER' },
    repository: { id: 2, name: 'api', full_name: 'acme/api', private: true },
    sender: person,
  };
  const { id } = await signedPost(server.url, body);
  await settled(server.sandbox, id);
  return id;
}

/** The APIs of senders, and what deliveries are replayed to. Its URL. */
async function outside(): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const TOKENS = {
  GITHUB_TOKEN: 'a',
  SENTRY_AUTH_TOKEN: 'b',
  JIRA_API_TOKEN: 'c',
  JIRA_EMAIL: 'ada@example.com',
};

/** A page's project, with a server that has a delivery and its task. */
async function sceneOf(page: string) {
  const { yaml = '', isServed = true, before = '' } = SCENES[page] ?? {};
  const sandbox = await sandboxForTest({ env: TOKENS });
  const bin = join(sandbox.root, 'bin');
  mkdirSync(bin);
  const program = `#!/bin/sh\nexec '${process.execPath}' '${cliPath()}' "$@"\n`;
  writeFileSync(join(bin, 'hookctl'), program, { mode: 0o755 });
  const url = await outside();
  const accounts = ['github', 'jira', 'sentry'].map((name) => `${name}: { baseUrl: "${url}" }`).join(', ');
  const settings = `publicUrl: https://hooks.example.com\ncredentials: { ${accounts} }\n${yaml}`;
  await sandbox.write('webhooks.yml', `ingress: { port: 0 }\nmanagement: { port: 0 }\n${settings}`);
  const server = await startServe(sandbox);
  onTestFinished(async () => void (await server.stop()));
  const ids = { delivery: await send(server, '@agent analyze'), ignored: await send(server, 'no command') };
  const [task] = JSON.parse((await tell(sandbox, 'task', 'list', '--json')).stdout);
  if (!isServed) await server.stop();
  const replaced: readonly (readonly [RegExp, string])[] = [
    [/(?<=hookctl task .*)<id>/g, task.id],
    [/(?<=hookctl flow .*)<id>/g, task.flow_id],
    [/(?<=delivery retry )<id>/g, ids.ignored],
    [/<id>|dlv-01jd9x3k2a7f3kq2/g, ids.delivery],
    [/http:\/\/localhost:3000/g, url],
    [/http:\/\/127\.0\.0\.1:8001/g, server.managementUrl],
  ];
  return { sandbox, bin, replaced, before: `SERVER=${server.pid}\n${before}` };
}

const replaceAll = (text: string, pairs: readonly (readonly [RegExp, string])[]) =>
  pairs.reduce((now, [from, to]) => now.replace(from, to), text);

/** What bash said of each line that failed. */
async function failures(
  { sandbox, bin }: { sandbox: Sandbox; bin: string },
  script: string,
): Promise<string> {
  const trapped = `trap 'echo "FAILED ($?): $BASH_COMMAND" >&2' ERR\n${script}`;
  const child = spawn('bash', ['-c', trapped], {
    cwd: sandbox.project,
    env: { ...sandbox.env, PATH: [bin, sandbox.env.PATH].join(delimiter) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await new Promise((ended) => child.once('close', ended));
  return /^FAILED/m.test(said) ? said : '';
}

const shown = PAGES.filter((page) => blocksOf(page).some(({ language }) => language === 'sh'));

test.each(shown)(
  '%s: its commands do as typed',
  async (page) => {
    const scene = await sceneOf(page);
    const script = [scene.before];
    for (const { text } of blocksOf(page).filter(({ language }) => language === 'sh')) {
      counted.blocks += 1;
      for (const line of linesOf(text)) {
        counted.commands += 1;
        if (PARSED.some(([pattern]) => pattern.test(line))) {
          counted.parsed += 1;
          continue;
        }
        const typed = replaceAll(line, INSTEAD);
        counted[typed === line ? 'run' : 'instead'] += 1;
        script.push(replaceAll(typed, scene.replaced));
      }
    }
    expect(await failures(scene, script.join('\n'))).toBe('');
  },
  180_000,
);

/** Programs and folders that configuration blocks name. */
const NAMED = [
  ...['web/', 'api/', 'bin/', 'bin/claude', 'bin/codex', 'bin/my-agent'],
  ...['project/agent.sh', 'project/hermes.sh'],
];

test('docs: hookctl check takes every configuration block', async () => {
  const wrong: string[] = [];
  // What is in docs/adding.md is compiled by its own test.
  const blocks = PAGES.filter((page) => page !== 'docs/adding.md').flatMap(blocksOf);
  const checked = blocks.filter(({ language }) => /^(?:yaml|ts)$/.test(language));
  for (const { page, line, language, text } of checked) {
    const sandbox = await sandboxForTest();
    const isYaml = language === 'yaml';
    await sandbox.write('webhooks.yml', isYaml ? text : 'static: [block.ts]\n');
    if (!isYaml) await sandbox.write('block.ts', text);
    for (const name of NAMED) {
      const path = join(sandbox.root, name);
      if (name.endsWith('/')) mkdirSync(path);
      else writeFileSync(path, '#!/bin/sh\necho "2.1.100 (Claude Code)"\n', { mode: 0o755 });
    }
    const PATH = [join(sandbox.root, 'bin'), sandbox.env.PATH].join(delimiter);
    // There is no database here.
    const env = { ...sandbox.env, PATH, HOOKCTL_STORE: 'local' };
    const { code, stdout, stderr } = await cli({ ...sandbox, env }, 'check');
    if (code !== 0) wrong.push(`${page}:${line} ${stdout}${stderr}`);
  }
  console.log(`docs: ${checked.length} configuration blocks, each checked by hookctl check`);
  expect(wrong.join('\n')).toBe('');
  expect(checked.length).toBeGreaterThan(25);
}, 180_000);
