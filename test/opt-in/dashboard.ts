/**
 * `npm run test:dashboard`: the dashboard in a real Chromium, against a server of its own. Installs puppeteer-core and axe-core from
 * npm into a folder that is thrown away, or uses those in `HOOKCTL_BROWSER_MODULES`. With `--screenshots` it writes those of docs/images/.
 * Ends with `N passed, N failed, N skipped`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import {
  BROWSER_MODULES,
  type Browser,
  findBrowser,
  installed,
  launch,
  load,
  type Page,
} from '../support/browser.ts';
import { comment, signedPost } from '../support/github.ts';
import { startProviderApis } from '../support/provider-apis.ts';
import { SECRET } from '../support/secret.ts';
import { flood } from './flood.ts';
import { endServers, PATIENCE_MS, type Served, serve, until } from './served.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = {
  ...BROWSER_MODULES,
  'axe-core': '4.14.1',
  '@seriousme/openapi-schema-validator': '2.11.0',
  '@scalar/openapi-parser': '0.24.17',
};
/** Budgets of the issue. */
const MOST_KB = 150;
const PAINT_MS = 300;
const APPEARS_MS = 500;
/** A person takes it for a page that hangs. */
const FROZEN_MS = 500;

const counts = { passed: 0, failed: 0, skipped: 0 };
const root = mkdtempSync(join(tmpdir(), 'hookctl-dashboard-'));

function check(what: string, isSo: boolean, detail: unknown = ''): void {
  counts[isSo ? 'passed' : 'failed'] += 1;
  console.log(`${isSo ? 'passed' : 'FAILED'}: ${what}${isSo ? '' : ` ${String(detail).slice(0, 1_500)}`}`);
}

function bundle(): void {
  const folder = join(ROOT, 'dist/dashboard');
  const files = readdirSync(folder).map((name) => gzipSync(readFileSync(join(folder, name))));
  const kb = files.reduce((sum, { length }) => sum + length, 0) / 1024;
  check(`the files of the dashboard are ${kb.toFixed(1)} KB gzip, ${MOST_KB} at most`, kb <= MOST_KB);
}

interface Verdict {
  readonly valid: boolean;
  readonly errors?: unknown;
}

/** The OpenAPI document, as two programs that are not hookctl's judge it. */
async function judged(folder: string): Promise<void> {
  const args = [join(ROOT, 'bin/hookctl.js'), 'api', '--spec'];
  const env = { PATH: process.env.PATH ?? '', HOME: root, HOOKCTL_HOME: join(root, 'none') };
  const document = JSON.parse(
    execFileSync(process.execPath, args, { env, encoding: 'utf8', maxBuffer: 1e8 }),
  );
  const seriousme = await load<{ Validator: new () => { validate(of: object): Promise<Verdict> } }>(
    folder,
    '@seriousme/openapi-schema-validator',
  );
  const scalar = await load<{ validate(of: object): Promise<Verdict> }>(folder, '@scalar/openapi-parser');
  for (const [name, { valid, errors }] of [
    ['@seriousme/openapi-schema-validator', await new seriousme.Validator().validate(document)],
    ['@scalar/openapi-parser', await scalar.validate(document)],
  ] as const)
    check(`${name} takes the OpenAPI document`, valid, JSON.stringify(errors));
}

async function withBrowser(executable: string, folder: string): Promise<void> {
  const axe = readFileSync(join(folder, 'axe-core/axe.min.js'), 'utf8');
  const browser = await launch({ executable, modules: folder, profile: join(root, 'profile') });
  try {
    await walk(browser, axe);
  } finally {
    await browser.close();
  }
}

const AGENT = `#!/usr/bin/env node
console.log('I read the request.');
setTimeout(() => console.log('The login works again: the session was read before it was written.'), 300);
`;

const YAML = `schedules:
  nightly: { cron: '0 3 * * *', prompt: Tidy up, agent: brain }
agents:
  brain: { use: command, program: ./agent.js }
  planning: { use: command, program: ./agent.js }
`;

interface Item {
  readonly id: string;
  readonly status: string;
  readonly name: string;
  readonly external_id: string;
}
interface Items {
  readonly items: readonly Item[];
}

async function walk(browser: Browser, axe: string): Promise<void> {
  const github = await startProviderApis();
  try {
    await walkWith(browser, axe, github.url);
  } finally {
    await github.close();
  }
}

async function walkWith(browser: Browser, axe: string, github: string): Promise<void> {
  const folder = join(root, 'project');
  mkdirSync(folder);
  writeFileSync(join(folder, 'agent.js'), AGENT, { mode: 0o755 });
  writeFileSync(
    join(folder, 'webhooks.yml'),
    `${YAML}credentials: { github: { tokenEnv: TOKEN_OF_GITHUB, baseUrl: "${github}" } }\n`,
  );
  const server = await serve(folder, { env: { TOKEN_OF_GITHUB: 'for-loopback' } });
  await fill(server);
  const problems: string[] = [];
  const foreign: string[] = [];
  const open = async (path: string, { width = 1280, height = 800, scheme = 'light' } = {}): Promise<Page> => {
    const page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warn')
        problems.push(`${path}: ${message.text()}`);
    });
    page.on('pageerror', (error) => problems.push(`${path}: ${error}`));
    page.on('request', (request) => {
      // Chromium's own icons of date fields are data.
      if (!request.url().startsWith(`${server.management}/`) && !request.url().startsWith('data:'))
        foreign.push(request.url());
    });
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.goto(
      `${server.management}/dashboard/${path.includes('#') ? path : `${path}#token=${server.token}`}`,
      { waitUntil: 'load' },
    );
    return page;
  };
  const shows = (page: Page, text: string) =>
    page
      .waitForFunction(`document.querySelector('main')?.innerText.includes(${JSON.stringify(text)})`, {
        timeout: PATIENCE_MS,
        polling: 20,
      })
      .then(
        () => true,
        () => false,
      );

  await everyPage({ server, open, shows, axe });
  await live({ server, open, shows, axe });
  await byKeyboard({ server, open, shows, axe });
  await question({ server, open, shows, axe });
  await whileTasksCome({ server, open, shows, axe });
  await byMouse({ server, open, shows, axe });
  await byForms({ server, open, shows, axe });
  await ofOwner({ server, open, shows, axe });
  await hostile({ server, open, shows, axe });
  check('no error or warning in the console', problems.length === 0, problems.join('\n'));
  check('no request to anywhere else', foreign.length === 0, foreign.join('\n'));
  await stranger(browser, server);
  const { perSecond, longest } = await flood(browser);
  const came = `${Math.round(perSecond)} events/s`;
  check(`${came} leave ${Math.round(longest)} ms between two frames at most`, longest < FROZEN_MS, longest);
  await gone(folder, { server, open, shows, axe });
}

interface Walk {
  readonly server: Served;
  readonly open: (path: string, look?: { width?: number; height?: number; scheme?: string }) => Promise<Page>;
  readonly shows: (page: Page, text: string) => Promise<boolean>;
  readonly axe: string;
}

/** Deliveries, tasks that ran, one that waits, a dynamic webhook, and a line of the audit. */
async function fill(server: Served): Promise<void> {
  for (const [index, text] of [
    '@agent analyze this',
    'Thanks for the report!',
    '@agent plan it',
    'Same here.',
    '@agent analyze why the login fails',
  ].entries())
    await signedPost(
      server.ingress,
      comment(text, { issue: 10 + (index % 3), title: 'Login fails on Safari' }),
    );
  await signedPost(server.ingress, comment('@agent fix'), { secret: 'wrong' });
  await signedPost(server.ingress, '{');
  await server.call('POST', '/api/webhooks', { provider: 'github', name: 'shop', secret: 'my-secret' });
  await server.call('POST', '/api/tasks', {
    prompt: 'Tidy up the changelog',
    title: 'Tidy up',
    agent: 'brain',
  });
  await until('the runs', async () => {
    const { items } = await server.call<Items>('GET', '/api/tasks?status=completed');
    return items.length >= 3;
  });
  const waiting = { requires_approval: true, agent: 'brain' };
  await server.call('POST', '/api/tasks', {
    ...waiting,
    prompt: 'Deploy the shop',
    title: 'Deploy the shop',
  });
}

async function everyPage({ server, open, shows, axe }: Walk): Promise<void> {
  const first = async (path: string) => (await server.call<Items>('GET', path)).items[0];
  const task = await first('/api/tasks?status=completed');
  const delivery = await first('/api/deliveries?status=processed');
  const flow = await first(`/api/flows?external_id=${encodeURIComponent(delivery?.external_id ?? '')}`);
  const expected: Readonly<Record<string, string>> = {
    now: 'Deploy the shop',
    deliveries: 'issue_comment.created',
    tasks: 'Deploy the shop',
    'tasks?view=board': 'Deploy the shop',
    flows: delivery?.external_id ?? '?',
    webhooks: 'shop',
    outbox: 'Outbox',
    'traffic?by=agent': 'Statistics by agent',
    traffic: 'processed',
    audit: 'webhook.add',
    setup: 'nightly',
    [`deliveries/${delivery?.id}`]: 'why the login fails',
    [`tasks/${task?.id}`]: 'The login works again',
    [`flows/${flow?.id}`]: 'Timeline',
    'webhooks/shop': 'Payload URL',
  };
  for (const [path, text] of Object.entries(expected)) {
    for (const scheme of ['light', 'dark']) {
      const page = await open(path, { scheme });
      const isShown = await shows(page, text);
      check(
        `${path} (${scheme}) shows what the API says: ${text}`,
        isShown,
        await page.evaluate('document.body.innerText'),
      );
      await delay(200);
      await page.evaluate(axe);
      const found = (await page.evaluate(
        "axe.run().then(({ violations }) => violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)).map(({ id, nodes }) => id + ' ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join(' | ')))",
      )) as string[];
      check(`${path} (${scheme}): axe finds no serious fault`, found.length === 0, found.join('\n'));
      if (process.argv.includes('--screenshots')) await picture(page, path, scheme);
      await page.close();
    }
    const narrow = await open(path, { width: 360, height: 740 });
    await shows(narrow, text);
    const wide = await narrow.evaluate('document.documentElement.scrollWidth');
    check(`${path} fits into 360 px`, wide === 360, wide);
    await narrow.close();
  }
}

async function picture(page: Page, path: string, scheme: string): Promise<void> {
  const [name = '', id] = path.replace('tasks?view=', '').split('/');
  if (name.includes('?')) return;
  const title = id === undefined ? name : name.replace(/ies$/, 'y').replace(/s$/, '');
  const images = join(ROOT, 'docs/images');
  mkdirSync(images, { recursive: true });
  await page.screenshot({
    path: join(images, `dashboard-${title}-${scheme}.webp`),
    type: 'webp',
    quality: 60,
  });
}

const MARK = 'appears by itself';

async function live({ server, open, shows }: Walk): Promise<void> {
  const page = await open('deliveries?text=appears');
  await shows(page, 'No delivery fits.');
  await page.waitForFunction("document.querySelector('[role=status]')?.textContent === 'live'");
  await page.evaluate(
    "window.seen = new Promise((resolve) => { const look = () => document.querySelector('.list a') ? resolve(performance.timeOrigin + performance.now()) : requestAnimationFrame(look); look(); }); true",
  );
  const sentAt = performance.timeOrigin + performance.now();
  await signedPost(server.ingress, comment(`@agent analyze what ${MARK}`));
  const seenAt = Number(await page.evaluate('window.seen'));
  const took = Math.round(seenAt - sentAt);
  check(`a delivery appears without a reload, after ${took} ms`, took >= 0);
  if (took > APPEARS_MS) console.log(`note: ${took} ms is more than ${APPEARS_MS} ms; is the machine busy?`);
  const paint = Math.round(
    Number(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")),
  );
  check(`the first paint comes after ${paint} ms`, paint > 0);
  if (paint > PAINT_MS) console.log(`note: ${paint} ms is more than ${PAINT_MS} ms; is the machine busy?`);
  const address = await page.evaluate('location.href');
  check('the token is in the address no more', !String(address).includes(server.token), address);
  const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
  check('the token is kept nowhere', !String(kept).includes(server.token), kept);
  await page.close();
}

async function byKeyboard({ server, open, shows }: Walk): Promise<void> {
  const page = await open('now');
  await shows(page, 'Deploy the shop');
  await page.keyboard.press('3');
  await shows(page, 'New task');
  await page.keyboard.press('/');
  const field = await page.evaluate('document.activeElement?.name');
  check('`/` leads to the filters', field === 'view', field);
  await page.keyboard.press('Escape');
  await shows(page, 'Deploy the shop');
  const isChosen =
    "document.activeElement?.closest('[data-id]')?.innerText.includes('Deploy the shop') === true";
  const focused = "document.activeElement?.closest('[data-id]')?.dataset.id";
  let isMoving = true;
  while (isMoving && (await page.evaluate(isChosen)) !== true) {
    const before = await page.evaluate(focused);
    await page.keyboard.press('j');
    isMoving = await page
      .waitForFunction(`${focused} !== undefined && ${focused} !== ${JSON.stringify(before)}`, {
        timeout: 5_000,
        polling: 20,
      })
      .then(
        () => true,
        () => false,
      );
  }
  const where = await page.evaluate(
    "document.activeElement.outerHTML + document.querySelector('main').innerText",
  );
  check('`j` goes from row to row', (await page.evaluate(isChosen)) === true, where);
  await page.keyboard.press('a');
  const [waiting] = (await server.call<Items>('GET', '/api/tasks?text=Deploy')).items;
  const ran = await until('the run', async () => {
    const { status } = await server.call<Item>('GET', `/api/tasks/${waiting?.id}`);
    return status === 'completed' ? status : null;
  });
  check('`j` and `a` approve a task, which runs', ran === 'completed', ran);
  await page.keyboard.press('Enter');
  check('`enter` opens it, with the log of its run', await shows(page, 'I read the request.'));
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.waitForFunction("document.querySelector('dialog[open]') !== null", { timeout: PATIENCE_MS });
  const help = await page.evaluate("document.querySelector('dialog[open]')?.innerText ?? ''");
  check('`?` shows the keys', String(help).includes('approve the task'), help);
  await page.close();
}

/** A task asks; a person answers by keys, and it runs. */
async function question({ server, open, shows }: Walk): Promise<void> {
  const commands = [
    { name: 'go', action: 'ask', target_agent: 'brain', template: 'Which branch shall it be?' },
  ];
  const fields = { provider: 'github', name: 'asks', secret: SECRET, default_command: 'go', commands };
  const { url } = await server.call<{ url: string }>('POST', '/api/webhooks', fields);
  const path = new URL(url).pathname;
  await signedPost(server.ingress, comment('@agent decide', { issue: 99 }), { path });
  const [task] = await until('the question', async () => {
    const { items } = await server.call<Items>('GET', '/api/tasks?status=waiting_answer');
    return items.length > 0 ? items : null;
  });
  const page = await open('now');
  await shows(page, 'Which branch');
  while ((await page.evaluate("document.activeElement?.closest('[data-id]')?.dataset.id")) !== task?.id)
    await page.keyboard.press('j');
  await page.keyboard.press('a');
  await page.waitForFunction("document.activeElement?.tagName === 'TEXTAREA'", { timeout: PATIENCE_MS });
  await page.keyboard.type('The old one, please');
  await page.evaluate('document.activeElement.form.requestSubmit()');
  const ran = await until('the run', async () => {
    const now = await server.call<Item & { prompt: string }>('GET', `/api/tasks/${task?.id}`);
    return now.status === 'completed' ? now.prompt : null;
  });
  check('`a` answers a question, and its task runs with the words', ran.includes('The old one, please'), ran);
  await page.close();
}

const FOCUSED = "(document.activeElement?.closest('.list [data-id]')?.dataset.id ?? '')";

/** Each key moves by a row, also while the list is replaced under it. */
async function whileTasksCome({ server, open, shows }: Walk): Promise<void> {
  const page = await open('tasks');
  await shows(page, 'Deploy the shop');
  let isComing = true;
  const coming = (async () => {
    for (; isComing; await delay(100))
      await server.call('POST', '/api/tasks', { prompt: 'One of many', requires_approval: true });
  })();
  let lost = 0;
  for (let press = 0; press < 40; press++) {
    const before = await page.evaluate(FOCUSED);
    await page.keyboard.press(press > 0 && press % 2 === 0 ? 'k' : 'j');
    const isMoved = `${FOCUSED} !== '' && ${FOCUSED} !== ${JSON.stringify(before)}`;
    lost += await page.waitForFunction(isMoved, { timeout: 3_000, polling: 20 }).then(
      () => 0,
      () => 1,
    );
  }
  isComing = false;
  await coming;
  check('40 of 40 keys move by a row while tasks come', lost === 0, `${lost} lost`);
  await page.close();
}

/** The button that has these words. */
const click = (words: string) =>
  `[...document.querySelectorAll('button, summary')].find(({ textContent }) => textContent.trim() === '${words}').click()`;
const type = (name: string, value: string) =>
  `{ const field = [...document.querySelectorAll('label')].find(({ innerText }) => innerText.startsWith('${name}')).querySelector('input, textarea'); field.focus(); field.value = ${JSON.stringify(value)}; field.dispatchEvent(new Event('input', { bubbles: true })); }`;

async function byMouse({ server, open, shows }: Walk): Promise<void> {
  const [first, second] = (await server.call<Items>('GET', '/api/deliveries?status=processed')).items;
  const delivery = await open(`deliveries/${first?.id}?with=${second?.id}`);
  await delivery.waitForFunction("document.querySelectorAll('.added, .removed').length > 0");
  check('two deliveries are compared line by line', true);
  const got: string[] = [];
  const there = createServer((request, answer) => {
    request.resume().on('end', () => {
      got.push(`${request.method} ${request.url} ${request.headers['x-github-event']}`);
      answer.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => there.listen(0, '127.0.0.1', resolve));
  const to = `http://127.0.0.1:${(there.address() as AddressInfo).port}/hook`;
  await delivery.evaluate(click('Send to another URL'));
  await delivery.evaluate(type('URL', to));
  await delivery.evaluate(click('Send'));
  const isSent = await shows(delivery, `${to} answered 202.`);
  check('a delivery is sent to another URL', isSent && got.join() === 'POST /hook issue_comment', got);
  there.close();
  await delivery.close();

  const webhooks = await open('webhooks');
  await shows(webhooks, 'shop');
  await webhooks.evaluate(click('Add'));
  await webhooks.waitForFunction("document.querySelector('dialog[open] form') !== null");
  await webhooks.evaluate(type('Name', 'made here'));
  await webhooks.evaluate(type('Provider', 'github'));
  await webhooks.evaluate("document.querySelector('dialog form').requestSubmit()");
  await webhooks.waitForFunction("document.querySelector('.secret') !== null");
  const secret = String(await webhooks.evaluate("document.querySelector('.secret').textContent"));
  await webhooks.close();
  const made = await open('webhooks/made%20here');
  await shows(made, 'Payload URL');
  const again = String(await made.evaluate('document.body.innerText'));
  check('a secret is shown once', secret.length > 10 && !again.includes(secret), again);
  await made.evaluate(type('Event type', 'issue_comment.created'));
  await made.evaluate(type('Body', '{"action":'));
  await made.evaluate(click('See what would fire'));
  check('a payload that does not parse is explained', await shows(made, 'Nothing runs:'));
  await made.close();

  const tasks = await open('tasks');
  await shows(tasks, 'New task');
  await tasks.keyboard.press('n');
  await tasks.waitForFunction("document.querySelector('dialog[open] form') !== null");
  await tasks.evaluate(type('Prompt', 'Say hello'));
  await tasks.evaluate("document.querySelector('dialog form').requestSubmit()");
  const isMade = await shows(tasks, 'I read the request.');
  check('a task is made, and its run shown', isMade, await tasks.evaluate('document.body.innerText'));
  await tasks.close();
}

/** What is set up now and then, and what the lists can do at once. */
async function byForms({ server, open, shows }: Walk): Promise<void> {
  const page = await open('audit');
  await shows(page, 'webhook.add');
  await page.keyboard.press('9');
  await shows(page, 'nightly');
  await page.evaluate(click('Pause'));
  check('a schedule is paused', await shows(page, 'It is paused.'));
  await page.evaluate(click('Run now'));
  check('a schedule runs now', await shows(page, 'Made task-'));
  await page.evaluate(click('Make a token'));
  await page.evaluate(type('Owner', 'ada'));
  await page.evaluate(click('Make'));
  await page.waitForFunction("document.querySelector('.secret') !== null", { timeout: PATIENCE_MS });
  const { items } = await server.call<{ items: { owner: string }[] }>('GET', '/api/tokens');
  check('a token of an owner is made and shown once', items[0]?.owner === 'ada', JSON.stringify(items));
  await page.close();
  const deliveries = await open('deliveries?text=thanks');
  await shows(deliveries, 'Replay these 1');
  await deliveries.evaluate('window.confirm = () => true');
  await deliveries.evaluate(click('Replay these 1'));
  await deliveries.evaluate(click('Replay them'));
  check('the deliveries of a list are replayed', await shows(deliveries, '1 replayed.'));
  await deliveries.close();
}

/** What belongs to an owner: filtered by the operator, and seen with a token of that owner. */
async function ofOwner({ server, open, shows }: Walk): Promise<void> {
  const fields = { provider: 'github', name: 'of-ada', owner: 'ada', secret: SECRET };
  const { url } = await server.call<{ url: string }>('POST', '/api/webhooks', fields);
  const sent = comment('@agent analyze what is of ada', { issue: 77 });
  const { id } = await signedPost(server.ingress, sent, { path: new URL(url).pathname });
  const page = await open('now');
  await shows(page, 'Last deliveries');
  await page.keyboard.press('2');
  await shows(page, 'issue_comment.created');
  await page.evaluate(type('Owner', 'ada'));
  const rows = "[...document.querySelectorAll('.list a')].map(({ dataset }) => dataset.id).join()";
  const isOnly = (of: Page) =>
    of.waitForFunction(`${rows} === '${id}'`, { timeout: PATIENCE_MS }).then(
      () => true,
      () => false,
    );
  check('the list has what is of one owner', await isOnly(page), await page.evaluate(rows));
  await page.keyboard.press('Escape');
  await page.keyboard.press('3');
  await shows(page, 'Analyze');
  check('the other pages keep the owner', (await page.evaluate('location.search')) === '?owner=ada');
  await page.close();

  const order = { owner: 'ada', scopes: ['read'] };
  const { token } = await server.call<{ token: string }>('POST', '/api/tokens', order);
  const own = await open(`deliveries#token=${token}`);
  check("a token of an owner shows that owner's alone", await isOnly(own), await own.evaluate(rows));
  const says = await shows(own, 'With a token of ada: read');
  check('the page says whose token it has', says, await own.evaluate('document.body.innerText'));
  await own.evaluate("document.querySelector('.list a').click()");
  await shows(own, 'Outcome');
  const replay =
    "[...document.querySelectorAll('button')].filter(({ disabled, title }) => disabled && title.includes('the scope tasks')).map(({ innerText }) => innerText).join()";
  const refused = await own.evaluate(replay);
  check(
    'what the token does not let is off, with the reason',
    String(refused).startsWith('Replay,Replay with replies'),
    refused,
  );
  await own.keyboard.press('9');
  check('what is the operator’s is not there', await shows(own, 'are the operator’s'));
  await own.keyboard.press('1');
  await shows(own, 'Last deliveries');
  await own.keyboard.press('5');
  await shows(own, 'of-ada');
  const names = "[...document.querySelectorAll('.list .w-event')].map(({ innerText }) => innerText).join()";
  check(
    'webhooks of others are not there',
    (await own.evaluate(names)) === 'of-ada',
    await own.evaluate(names),
  );
  await own.close();

  const webhooks = await open('webhooks');
  await shows(webhooks, 'of-ada');
  await server.call('POST', '/api/webhooks/of-ada/disable', {});
  await shows(webhooks, 'disabled');
  const all = String(await webhooks.evaluate(names)).split(',');
  check('a list that was read again has each row once', new Set(all).size === all.length, all);
  await webhooks.close();
}

/** The server goes and comes again; a token that it does not take. */
async function gone(folder: string, { server, open, shows }: Walk): Promise<void> {
  const wrong = await open('now#token=wrong');
  await wrong.waitForFunction("document.querySelector('.sign-in [role=alert]') !== null");
  check('a wrong token is refused with words', true);
  await wrong.close();
  const refused = await open('setup');
  await shows(refused, 'nightly');
  await refused.evaluate(click('Take in what never arrived'));
  await refused.evaluate(click('Read the logs'));
  check('a refusal says what to do', await shows(refused, 'hookctl connect github'));
  await refused.close();
  const page = await open('deliveries?text=afterwards');
  await shows(page, 'No delivery fits.');
  await server.stop();
  const state = (text: string) =>
    page.waitForFunction(`document.querySelector('[role=status]')?.textContent === '${text}'`, {
      timeout: PATIENCE_MS,
    });
  await state('no server');
  await page.keyboard.press('1');
  check('a page without a server says so', await shows(page, 'The server does not answer.'));
  await page.keyboard.press('2');
  const next = await serve(folder, { managementPort: new URL(server.management).port });
  await state('live');
  await page.keyboard.press('1');
  check('it goes on when the server is there again', await shows(page, 'Last deliveries'));
  await page.close();
  await next.stop();
}

async function hostile({ server, open, shows }: Walk): Promise<void> {
  const markup = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>';
  const text = `${markup}\u0000\u001b[31m\u202e ${'x'.repeat(1_000_000)}\n${'y '.repeat(2_000_000)}`;
  const { id } = await signedPost(server.ingress, comment(text));
  const page = await open(`deliveries/${id}`);
  const isShown = await shows(page, 'onerror=');
  const state = await page.evaluate(
    "JSON.stringify([window.hacked ?? null, document.querySelectorAll('main img, main script').length])",
  );
  check('a hostile payload of 5 MB is text', isShown && state === '[null,0]', state);
  const quick = await page.evaluate(
    'new Promise((resolve) => { const from = performance.now(); requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - from))); })',
  );
  check('and the page stays quick', Number(quick) < 1_000, quick);
  await page.close();
}

/** A page of another origin asks for what it can. */
async function stranger(browser: Browser, { management }: Served): Promise<void> {
  const site = createServer((_, answer) =>
    answer.setHeader('content-type', 'text/html').end('<title>stranger</title>'),
  );
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`, { waitUntil: 'load' });
  const got = await page.evaluate(`(async () => {
    const paths = ['/api/status', '/api/events', '/dashboard', '/dashboard/app.js'];
    const asked = await Promise.all(paths.flatMap((path) => ['cors', 'no-cors'].map((mode) =>
      fetch('${management}' + path, { mode }).then((answer) => answer.type === 'opaque' ? '' : answer.text(), () => ''))));
    const frame = document.createElement('iframe');
    frame.src = '${management}/dashboard';
    const loaded = new Promise((resolve) => { frame.onload = resolve; setTimeout(resolve, 2000); });
    document.body.append(frame);
    await loaded;
    let inner = '';
    try { inner = frame.contentDocument?.body?.innerText ?? ''; } catch {}
    return asked.join('') + inner;
  })()`);
  check("a stranger's page on another origin gets nothing", got === '', got);
  await page.close();
  site.close();
}

const executable = findBrowser();
try {
  bundle();
  const folder = installed(root, MODULES);
  await judged(folder);
  if (executable === undefined) {
    counts.skipped += 1;
    console.log('skipped: Chromium (none is here; apt-get install chromium, or CHROMIUM=/path/to/it)');
  } else await withBrowser(executable, folder);
} catch (error) {
  counts.failed += 1;
  console.log(`FAILED: ${error instanceof Error ? error.stack : error}`);
} finally {
  await endServers();
  rmSync(root, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
