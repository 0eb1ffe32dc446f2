import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adnanhProgram } from '../bench/peers.ts';
import { HOOKS, hooksJson } from '../support/adnanh-hooks.ts';
import { eventually } from '../support/eventually.ts';

/*
 * `npm run test:adnanh`: the table of `webhook convert` against adnanh/webhook 2.8 itself (from the PATH, or unpacked from Debian's
 * package). Skipped where there is none.
 */

const folder = mkdtempSync(join(tmpdir(), 'hookctl-adnanh-'));
const found = adnanhProgram({ folder, say: console.log });
let origin = '';
let end = () => undefined as unknown;

beforeAll(async () => {
  if (!found.ok) return;
  const port = await freePort();
  const hooks = join(folder, 'hooks.json');
  writeFileSync(hooks, hooksJson('/bin/true'));
  const child = spawn(found.peer, ['-hooks', hooks, '-ip', '127.0.0.1', '-port', String(port)], {
    stdio: 'ignore',
  });
  end = () => child.kill('SIGKILL');
  origin = `http://127.0.0.1:${port}`;
  await eventually('adnanh/webhook to listen', () => fetch(origin).then(Boolean, () => false));
});

afterAll(() => {
  end();
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(!found.ok).each(Object.keys(HOOKS))('adnanh/webhook: %s', async (id) => {
  const ran: boolean[] = [];
  for (const { query = '', method = 'POST', headers = {}, body } of HOOKS[id]?.requests ?? []) {
    const init = { method, headers, ...(body !== undefined && { body }) };
    const answer = await fetch(`${origin}/hooks/${id}${query}`, init);
    ran.push(answer.status === 200 && (await answer.text()) === 'ran');
  }
  expect(ran).toEqual(HOOKS[id]?.requests.map(({ runs }) => runs));
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
