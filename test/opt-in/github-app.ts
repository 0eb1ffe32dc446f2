/**
 * `npm run test:github-app`: a GitHub App from `hookctl connect github --app` to its first comment, at a loopback GitHub, with a real
 * Chromium where there is one. Ends with `N passed, N failed, N skipped`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'undici';
import { comment, type Payload, signedPost } from '../support/github.ts';
import { startGithub } from '../support/github-app.ts';
import { SECRET } from '../support/secret.ts';

const ENTRY = fileURLToPath(new URL('../../scripts/dev.js', import.meta.url));
const PATIENCE_MS = 40_000;
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

const counts = { passed: 0, failed: 0, skipped: 0 };
const children: ChildProcess[] = [];
const root = mkdtempSync(join(tmpdir(), 'hookctl-app-flow-'));
const github = await startGithub();
// Another site than the page's 127.0.0.1, as github.com is.
const site = github.url.replace('127.0.0.1', 'localhost');

try {
  const browser =
    process.env.CHROMIUM ?? BROWSERS.find((name) => spawnSync(name, ['--version']).status === 0);
  await flow('plain HTTP', walkByHttp);
  if (browser === undefined) {
    counts.skipped += 1;
    console.log('skipped: Chromium (none is here; apt-get install chromium, or CHROMIUM=/path/to/it)');
  } else await flow(`${browser}`, (page) => walkByBrowser(browser, page));
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'exit') : null)));
  await github.close();
  rmSync(root, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;

function check(what: string, isSo: boolean): void {
  counts[isSo ? 'passed' : 'failed'] += 1;
  console.log(`${isSo ? 'passed' : 'FAILED'}: ${what}`);
}

interface Run {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

function run(folder: string, ...args: readonly string[]): Run {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    HOOKCTL_HOME: join(folder, 'data'),
    CLAUDE_CONFIG_DIR: join(folder, 'claude'),
    GITHUB_WEBHOOK_SECRET: SECRET,
  };
  const child = spawn(process.execPath, [ENTRY, ...args], { cwd: folder, env });
  children.push(child);
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text.stdout += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text.stderr += part;
  });
  return { child, stdout: () => text.stdout, stderr: () => text.stderr };
}

async function until<T>(what: string, look: () => T | null | undefined | false): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await delay(50);
  }
}

async function flow(how: string, walk: (page: string) => Promise<string>): Promise<void> {
  const folder = join(root, String(counts.passed));
  mkdirSync(folder);
  Object.assign(github, { installed: [] });
  for (const list of [github.calls, github.issued, github.manifests, github.comments]) list.length = 0;
  const yaml = [
    'publicUrl: https://hooks.example.com',
    `credentials: { github: { baseUrl: '${site}' } }`,
    'webhooks: { github: { defaultCommand: help, commands: [{ name: help, action: comment, template: Hello }] } }',
  ];
  writeFileSync(join(folder, 'webhooks.yml'), yaml.join('\n'));
  const served = run(folder, 'serve', '--json', '--port', '0', '--management-port', '0');
  const url = await until('serve', () => /"ingress_url":"([^"]+)"/.exec(served.stdout())?.[1]);
  const connecting = run(folder, 'connect', 'github', '--app');
  const page = await until(
    'the page',
    () => /http:\/\/127\.0\.0\.1:\d+\/connect\/github\/[\w-]{43}/.exec(connecting.stderr())?.[0],
  );
  const shown = await walk(page);
  check(
    `${how}: the page leads to GitHub and back, and shows where to install the App`,
    shown.includes('hookctl-test'),
  );
  await until('the install link', () => connecting.stderr().includes('Install it on your repositories'));
  const files = join(folder, 'data', 'github-apps');
  const file = join(files, `${new URL(site).host.replace(':', '_')}.json`);
  check(
    `${how}: key and secrets are in a file of mode 0600`,
    existsSync(file) && (statSync(file).mode & 0o777) === 0o600,
  );
  check(`${how}: the App's hook has the webhook's secret`, github.hook.secret === SECRET);
  github.installed = ['acme/api'];
  await until('the installation', () => connecting.stderr().includes('Installed by acme'));
  const payload = comment('@agent help');
  Object.assign(payload.repository as Payload, { full_name: 'acme/api' });
  await signedPost(url, payload);
  const [code] = (await Promise.race([once(connecting.child, 'exit'), delay(PATIENCE_MS, ['late'])])) as [
    unknown,
  ];
  check(`${how}: connect waits for the installation and the first event, and ends with 0`, code === 0);
  await until('the comment', () => github.comments.length === 1);
  const [token] = github.issued;
  check(`${how}: the reply has a token for this repository alone`, token?.repositories.join() === 'api');
  const said = served.stdout() + served.stderr() + connecting.stdout() + connecting.stderr() + shown;
  const secrets = ['BEGIN RSA', 'client-secret-of-the-app', 'made-by-github', token?.token ?? 'none'];
  check(
    `${how}: no secret is printed or shown`,
    secrets.every((each) => !said.includes(each)),
  );
  check(`${how}: the page is good for one use`, (await get(page)).status === 404);
  served.child.kill('SIGTERM');
  await once(served.child, 'exit');
  check(
    `${how}: the token is not stored`,
    !readFileSync(join(folder, 'data', 'hookctl.db')).includes(token?.token ?? 'none'),
  );
}

interface Got {
  readonly status: number;
  readonly location: string;
  readonly text: string;
}

function get(url: string, method = 'GET', body = ''): Promise<Got> {
  const headers = method === 'GET' ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? '', text }),
      );
    });
    sent.on('error', reject).end(body);
  });
}

async function walkByHttp(page: string): Promise<string> {
  const { text } = await get(page);
  const plain = (part = '') =>
    part.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
  const action = plain(/action="([^"]+)"/.exec(text)?.[1]);
  const manifest = plain(/name="manifest" value="([^"]+)"/.exec(text)?.[1]);
  const { location } = await get(action, 'POST', new URLSearchParams({ manifest }).toString());
  return (await get(location)).text;
}

/** A person who clicks the button, over Chromium's own protocol. */
async function walkByBrowser(program: string, page: string): Promise<string> {
  const child = spawn(program, [
    ...['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-dev-shm-usage'],
    ...['--remote-debugging-port=0', `--user-data-dir=${join(root, 'chromium')}`, 'about:blank'],
  ]);
  children.push(child);
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    told += part;
  });
  const address = await until('Chromium', () => /DevTools listening on (ws:\S+)/.exec(told)?.[1]);
  const list = JSON.parse((await get(`http://${new URL(address).host}/json/list`)).text) as {
    readonly type: string;
    readonly webSocketDebuggerUrl: string;
  }[];
  const tab = list.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '';
  const socket = new WebSocket(tab);
  await once(socket, 'open');
  let id = 0;
  const answers = new Map<number, (result: { result?: { value?: unknown } }) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id: of, result } = JSON.parse(String(data)) as {
      id?: number;
      result: { result?: { value?: unknown } };
    };
    if (of !== undefined) answers.get(of)?.(result);
  });
  const send = (method: string, params: object = {}) =>
    new Promise<{ result?: { value?: unknown } }>((resolve) => {
      id += 1;
      answers.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
  const evaluate = async (expression: string) =>
    (await send('Runtime.evaluate', { expression, returnByValue: true })).result?.value;
  const waitFor = async (expression: string) => {
    const end = performance.now() + PATIENCE_MS;
    while ((await evaluate(expression)) !== true) {
      if (performance.now() > end)
        throw new Error(
          `the browser waited in vain for ${expression}: ${await evaluate('document.body.innerText')}`,
        );
      await delay(100);
    }
  };
  await send('Page.navigate', { url: page });
  await waitFor("document.querySelector('#make') !== null");
  await evaluate("document.querySelector('#make').click()");
  await waitFor("document.querySelector('#install') !== null");
  const text = String(await evaluate('document.documentElement.outerHTML'));
  socket.close();
  child.kill('SIGTERM');
  return text;
}
