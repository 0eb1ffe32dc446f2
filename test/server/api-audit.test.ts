import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { OPERATOR_CALLER } from '../../src/server/access/caller.ts';
import { audited } from '../../src/server/api/audit.ts';
import type { ApiEnv } from '../../src/server/api/route.ts';
import { callInProcess } from '../../src/server/client.ts';
import { apiOver } from '../support/api.ts';
import { startEngine } from '../support/engine.ts';

test('API in process: a change is recorded with its actor before it is answered, a refusal is not', async () => {
  const engine = await startEngine();
  const recorded: unknown[] = [];
  const api = apiOver(engine, async (change, actor) => {
    recorded.push({ ...change, actor: actor.name });
  });
  const call = callInProcess(api, { actor: { kind: 'cli', name: 'ada' }, caller: OPERATOR_CALLER });
  const body = { prompt: 'look', agent: 'planning', requires_approval: true };
  const { id } = await call<{ id: string }>({ method: 'POST', path: '/api/tasks', body });
  const created = {
    what: 'task.create',
    target: id,
    details: { agent: 'planning', status: 'waiting_approval' },
    actor: 'ada',
    owner: 'operator',
  };
  expect(recorded).toEqual([created]);

  const path = `/api/tasks/${id}/complete`;
  const wrong = call({ method: 'POST', path, body: { results: 'x' } });
  await expect(wrong).rejects.toMatchObject({ code: 'usage', exitCode: 2 });
  const missing = call({ method: 'POST', path: '/api/tasks/task-none/approve', body: {} });
  await expect(missing).rejects.toMatchObject({ code: 'not_found', exitCode: 4 });
  await call({ method: 'POST', path: '/api/events/listen', body: { consumer: 'ada' } });
  expect(recorded).toHaveLength(1);
});

test('audit middleware: a route that changes something and does not say what fails', async () => {
  const app = new Hono<ApiEnv>();
  app.use(audited(async () => undefined));
  app.post('/silent', (context) => context.json({}));
  let failure: unknown = null;
  app.onError((error, context) => {
    failure = error;
    return context.json({}, 500);
  });
  expect((await app.request('/silent', { method: 'POST' })).status).toBe(500);
  expect(String(failure)).toContain('POST /silent does not say what it changes');
});
