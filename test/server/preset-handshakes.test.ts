import { createHmac } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { type Server, serverForFile } from '../support/server.ts';

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  sandbox = await sandboxForFile();
  server = await serverForFile(sandbox);
});

/** What the sender of a preset asks first, as its documentation has it. `brought`: the secret that comes with the question. */
interface Case {
  readonly preset: string;
  readonly method: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly answer: string;
  readonly answered?: readonly [header: string, value: string];
  readonly brought?: string;
  readonly signature?: readonly [header: string, prefix: string];
}

const ASANA = 'b537207f20cbfa02357cf448134da559';
const NOTION = 'secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl';
const CASES: readonly Case[] = [
  {
    preset: 'meta',
    method: 'GET',
    query: '?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock',
    answer: '1158201444',
  },
  { preset: 'dropbox', method: 'GET', query: '?challenge=8Ud3rHpbZN', answer: '8Ud3rHpbZN' },
  {
    preset: 'asana',
    method: 'POST',
    headers: { 'x-hook-secret': ASANA },
    body: '',
    answer: '',
    answered: ['x-hook-secret', ASANA],
    brought: ASANA,
    signature: ['x-hook-signature', ''],
  },
  {
    preset: 'notion',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ verification_token: NOTION }),
    answer: '',
    brought: NOTION,
    signature: ['x-notion-signature', 'sha256='],
  },
  {
    preset: 'cloudevents',
    method: 'OPTIONS',
    headers: { 'webhook-request-origin': 'eventemitter.example.com' },
    answer: '',
    answered: ['webhook-allowed-origin', 'eventemitter.example.com'],
  },
];

test.each(CASES)(
  'preset $preset: its handshake is answered while it is awaited, without further settings',
  async ({ preset, method, query = '', headers = {}, body, answer, answered, brought, signature }) => {
    const added = await tell(sandbox, 'webhook', 'add', preset, '--name', preset);
    expect(added.code).toBe(0);
    const shown = await tell(sandbox, 'webhook', 'show', preset, '--json');
    const url = server.url + new URL(JSON.parse(shown.stdout).url).pathname;
    const ask = () =>
      fetch(url + query, { method, headers, ...(body !== undefined && { body }), redirect: 'error' });
    expect((await ask()).status).toBeGreaterThanOrEqual(400);
    const waiting = tell(sandbox, 'webhook', 'await', preset, '--for', '20s');
    const said = await eventually(`the answer to ${preset}`, async () => {
      const response = await ask();
      return response.status < 300 ? response : null;
    });
    expect(await said.text()).toBe(answer);
    if (answered !== undefined) expect(said.headers.get(answered[0])).toBe(answered[1]);
    expect((await waiting).code).toBe(0);
    expect((await ask()).status).toBeGreaterThanOrEqual(400);
    if (brought === undefined || signature === undefined) return;
    const event = '{"events":[],"type":"page.created","id":"1"}';
    const digits = createHmac('sha256', brought).update(event).digest('hex');
    const sent = { 'content-type': 'application/json', [signature[0]]: signature[1] + digits };
    expect((await fetch(url, { method: 'POST', headers: sent, body: event })).status).toBe(202);
    expect(server.running.stdout() + server.running.stderr()).not.toContain(brought);
  },
);
