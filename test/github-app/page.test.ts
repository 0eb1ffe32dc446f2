import { readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type LoopbackGithub, startGithub } from '../support/github-app.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { SECRET } from '../support/secret.ts';
import { type ServeHere, serveHere } from '../support/serve-here.ts';

let github: LoopbackGithub;
let sandbox: Sandbox;
let served: ServeHere;

beforeAll(async () => {
  github = await startGithub();
});
afterAll(() => github.close());
beforeEach(async () => {
  for (const list of [github.calls, github.issued, github.manifests, github.faults]) list.length = 0;
  github.installed = [];
  sandbox = await createSandbox({
    files: {
      'webhooks.yml': `publicUrl: https://hooks.example.com\ncredentials: { github: { baseUrl: '${github.url}' } }\nwebhooks: { github: { commands: [{ name: analyze }, { trigger: workflow_run.completed }] } }`,
    },
  });
  served = await serveHere(sandbox);
});

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

function get(url: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.on('error', reject).end(body);
  });
}

async function api<T>(method: string, path: string, body?: object): Promise<T> {
  const authorization = `Bearer ${readFileSync(join(sandbox.dataFolder, 'token'), 'utf8').trim()}`;
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = {
    authorization,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
  };
  const answer = await get(served.managementUrl + path, headers, method, text);
  return { status: answer.status, ...(JSON.parse(answer.text) as T) };
}

interface Opened {
  readonly status: number;
  readonly page_url: string;
}

const open = (changes: object = {}) => api<Opened>('POST', '/api/github-apps/registration', changes);

function formOf(html: string): { readonly action: string; readonly manifest: string } {
  const plain = (text = '') =>
    text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
  return {
    action: plain(/action="([^"]+)"/.exec(html)?.[1]),
    manifest: plain(/name="manifest" value="([^"]+)"/.exec(html)?.[1]),
  };
}

/** What a browser does from the page to GitHub and back. */
async function walk(pageUrl: string): Promise<Got> {
  const { action, manifest } = formOf((await get(pageUrl)).text);
  const form = new URLSearchParams({ manifest }).toString();
  const sent = await get(action, { 'content-type': 'application/x-www-form-urlencoded' }, 'POST', form);
  expect(sent.status).toBe(302);
  return get(String(sent.headers.location), { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' });
}

test('the page: leads to GitHub with a manifest of what the webhook uses, and takes the key from its code', async () => {
  const { page_url: url } = await open();
  const page = await walk(url);
  expect(page.status).toBe(200);
  expect(page.text).toContain('hookctl-test is made');
  const [manifest] = github.manifests;
  expect(manifest).toMatchObject({
    public: false,
    default_permissions: {
      issues: 'write',
      pull_requests: 'write',
      checks: 'write',
      metadata: 'read',
      actions: 'read',
    },
    default_events: [
      'check_run',
      'issue_comment',
      'issues',
      'pull_request',
      'pull_request_review',
      'pull_request_review_comment',
      'workflow_run',
    ],
    redirect_url: url,
  });
  const hook = String((manifest?.hook_attributes as { url?: string } | undefined)?.url);
  expect(hook).toMatch(/^https:\/\/hooks\.example\.com\/webhooks\/github\?hookctl=\w+$/);
  const file = join(sandbox.dataFolder, 'github-apps', `${new URL(github.url).host.replace(':', '_')}.json`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ slug: 'hookctl-test', bot_id: '777' });
  // The hook verifies with the webhook's own secret, and follows as every connection does.
  expect(github.hook).toMatchObject({ secret: SECRET, content_type: 'json', url: hook });
  expect(await api('GET', '/api/github-apps/registration')).toMatchObject({
    state: 'made',
    problem: null,
    installed_by: [],
    has_arrived: false,
  });
  github.installed = ['acme/api'];
  expect(await api('GET', '/api/github-apps/registration')).toMatchObject({ installed_by: ['acme'] });
  const shown = served.stdout() + served.stderr() + page.text;
  for (const secret of ['client-secret-of-the-app', 'BEGIN RSA', 'made-by-github'])
    expect(shown).not.toContain(secret);
});

test('the page: one path, one use, GET alone, and nothing of it without the state', async () => {
  const { page_url: url } = await open();
  for (const method of ['POST', 'PUT', 'HEAD', 'DELETE'])
    expect((await get(url, {}, method)).status).toBe(401);
  expect((await get(url, { origin: 'https://evil.example' })).status).toBe(403);
  expect((await get(url, { 'sec-fetch-dest': 'image', 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await get(url, { host: 'evil.example' })).status).toBe(421);
  expect((await get(url, { 'x-forwarded-for': '1.2.3.4' })).status).toBe(403);
  const other = `${served.managementUrl}/connect/github/${'A'.repeat(43)}`;
  expect((await get(other)).status).toBe(404);
  expect((await get(`${served.managementUrl}/api/status`)).status).toBe(401);
  const { code } = github.register({ redirect_url: url });
  expect((await get(`${url}?code=${code}&state=guessed`)).status).toBe(403);
  expect((await get(`${url}?code=${code}`)).status).toBe(403);
  const page = await get(url);
  expect(page.headers['content-security-policy']).toContain("default-src 'none'");
  expect(page.headers['cache-control']).toBe('no-store');
  expect(page.headers['referrer-policy']).toBe('no-referrer');
  await walk(url);
  expect((await get(url)).status).toBe(404);
});

test('the page: a new order closes the one before, and a code that GitHub does not know ends it', async () => {
  const first = await open();
  const second = await open();
  expect((await get(first.page_url)).status).toBe(404);
  const state = new URL(formOf((await get(second.page_url)).text).action).searchParams.get('state') ?? '';
  const failed = await get(`${second.page_url}?code=unknown&state=${encodeURIComponent(state)}`);
  expect(failed.status).toBe(502);
  expect(await api('GET', '/api/github-apps/registration')).toMatchObject({ state: 'failed' });
});

test('the page: the words of an order do not act in it', async () => {
  const { page_url: url } = await open({ name: '<img src=x onerror=alert(1)>' });
  const { text } = await get(url);
  expect(text).not.toContain('<img');
});

test('an order: refused while there is an App on the host', async () => {
  await walk((await open()).page_url);
  expect(await open()).toMatchObject({ status: 409, code: 'app_exists' });
});
