import { expect, test } from 'vitest';
import type { TaskView } from '../../src/views.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { serverForTest } from '../support/server.ts';
import { type Mcp, overStdio } from './support.ts';

interface Event {
  readonly event: { readonly id: string; readonly kind: string; readonly task_id: string } | null;
}

async function next({ call }: Mcp, more: object = {}): Promise<Event['event']> {
  const { data } = await call<Event>('next_event', { wait_seconds: 0, ...more });
  return data.event;
}

const make = async (sandbox: Sandbox, agent: string, ...more: readonly string[]) =>
  (await tellJson<TaskView>(sandbox, 'task', 'create', 'Do it', '--agent', agent, ...more)).id;

test('next_event: an agent gets each task once, across restarts', async () => {
  const sandbox = await sandboxForTest();
  const old = await make(sandbox, 'planning');
  await make(sandbox, 'executor');
  const first = await overStdio(sandbox, ['--agent', 'planning']);
  const told = await next(first);
  expect(told).toMatchObject({ kind: 'task', task_id: old });
  expect(await next(first)).toEqual(told);
  await first.client.close();

  await serverForTest(sandbox);
  const second = await overStdio(sandbox, ['--agent', 'planning']);
  expect(await next(second)).toEqual(told);
  await second.call('ack_event', { event_id: told?.id });
  await second.call('ack_event', { event_id: told?.id });
  expect(await next(second)).toBeNull();
  expect(await next(second, { consumer: 'another' })).toMatchObject({ task_id: old });
  expect(await next(second, { agent: 'executor' })).toMatchObject({ kind: 'task' });
});

test('waiting for an event ends with the event, not with the time', async () => {
  const sandbox = await sandboxForTest();
  await serverForTest(sandbox);
  const mcp = await overStdio(sandbox, ['--agent', 'planning']);
  const waiting = mcp.call<Event>('next_event', { wait_seconds: 50 });
  const id = await make(sandbox, 'planning');
  expect((await waiting).data.event).toMatchObject({ kind: 'task', task_id: id });
});

test('next_event: a task that waits for others comes when it can begin, a cancelled one as cancelled', async () => {
  const sandbox = await sandboxForTest();
  const before = await make(sandbox, 'planning');
  const after = await make(sandbox, 'planning', '--depends-on', before);
  const mcp = await overStdio(sandbox, ['--agent', 'planning']);
  const ack = async () => {
    const event = await next(mcp);
    if (event !== null) await mcp.call('ack_event', { event_id: event.id });
    return event;
  };
  expect(await ack()).toMatchObject({ kind: 'task', task_id: before });
  expect(await ack()).toBeNull();
  await mcp.call('complete_task', { task_id: before, result: 'Done' });
  expect(await ack()).toMatchObject({ kind: 'task', task_id: after });
  await tell(sandbox, 'task', 'cancel', after);
  expect(await ack()).toMatchObject({ kind: 'cancel', task_id: after });
  expect(await ack()).toBeNull();
});
