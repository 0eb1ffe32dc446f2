import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser } from '../support/browser.ts';

const FILES = fileURLToPath(new URL('../../dist/dashboard/', import.meta.url));
const PER_SECOND = 1_000;
const SECONDS = 5;

interface Flooded {
  /** Events that came in a second. */
  readonly perSecond: number;
  /** Between two frames, in milliseconds. */
  readonly longest: number;
}

/** The page before a server that only sends events: a real one would need most of the machine to make so many. */
export async function flood(browser: Browser): Promise<Flooded> {
  let count = 0;
  const delivery = (number: number) => ({
    ...{ id: `dlv-${String(number).padStart(16, '0')}`, webhook: 'github', status: 'ignored', sample: false },
    ...{ event_type: 'issues.labeled', sender: 'octocat', reason: null, received_at: new Date() },
  });
  const server = createServer((request, answer) => {
    const path = request.url?.split('?')[0] ?? '';
    if (path === '/api/events') {
      answer
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write('id: 1.0\ndata: {"type":"open"}\n\n');
      const [start, from] = [performance.now(), count];
      const timer = setInterval(() => {
        const due = from + ((performance.now() - start) * PER_SECOND) / 1_000;
        for (; count < due; count += 1)
          answer.write(
            `id: 1.${count}\ndata: ${JSON.stringify({ type: 'delivery', ...delivery(count) })}\n\n`,
          );
      }, 10);
      request.on('close', () => clearInterval(timer));
    } else if (path === '/api/tokens/own') {
      answer.setHeader('content-type', 'application/json').end('{"kind":"operator"}');
    } else if (path.startsWith('/api/')) {
      const items = Array.from({ length: 100 }, (_, index) => delivery(count - index));
      answer
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ items, next_cursor: 'more' }));
    } else {
      const name = path.endsWith('.js') ? 'app.js' : path.endsWith('.css') ? 'style.css' : 'index.html';
      const type = { 'app.js': 'text/javascript', 'style.css': 'text/css', 'index.html': 'text/html' }[name];
      answer.setHeader('content-type', type).end(readFileSync(join(FILES, name)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const page = await browser.newPage();
  const { port } = server.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/dashboard/deliveries#token=any`);
  await page.waitForFunction("document.querySelector('.list a') !== null");
  await page.evaluate(
    'window.longest = 0; window.frame = (before) => requestAnimationFrame((now) => { window.longest = Math.max(window.longest, now - before); window.frame(now); }); window.frame(performance.now()); true',
  );
  const before = count;
  await delay(SECONDS * 1_000);
  const perSecond = (count - before) / SECONDS;
  const longest = Number(await page.evaluate('window.longest'));
  await page.close();
  server.close();
  server.closeAllConnections();
  return { perSecond, longest };
}
