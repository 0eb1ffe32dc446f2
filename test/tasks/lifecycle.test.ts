import { expect, test } from 'vitest';
import { isEnd, stepOf } from '../../src/tasks/lifecycle.ts';
import { TASK_EVENTS, TASK_STATUSES, type TaskEvent, type TaskStatus } from '../../src/types.ts';

const OPEN = TASK_STATUSES.filter((status) => !isEnd(status));

test.each(OPEN)('a task that is %s can be completed, failed and cancelled', (status) => {
  expect(stepOf(status, 'complete')).toEqual({ kind: 'to', status: 'completed' });
  expect(stepOf(status, 'fail')).toEqual({ kind: 'to', status: 'failed' });
  expect(stepOf(status, 'cancel')).toEqual({ kind: 'to', status: 'cancelled' });
});

test.each<[TaskEvent, TaskStatus]>([
  ['complete', 'completed'],
  ['fail', 'failed'],
  ['cancel', 'cancelled'],
])('to %s a task twice changes nothing, and a different end is refused by name', (event, end) => {
  expect(stepOf(end, event)).toEqual({ kind: 'unchanged' });
  for (const other of ['complete', 'fail', 'cancel'] as const) {
    if (other !== event)
      expect(stepOf(end, other)).toEqual({ kind: 'refused', reason: `it is ${end} already` });
  }
});

test('a task that waits for approval runs only after it', () => {
  expect(stepOf('waiting_approval', 'start')).toEqual({ kind: 'refused', reason: 'it waits for approval' });
  expect(stepOf('waiting_approval', 'approve')).toEqual({ kind: 'to', status: 'queued' });
  expect(stepOf('queued', 'start')).toEqual({ kind: 'to', status: 'running' });
});

test('only what failed or was cancelled is retried, and nothing else leaves an end', () => {
  for (const end of ['completed', 'failed', 'cancelled'] as const) {
    const leaving = TASK_EVENTS.filter((event) => stepOf(end, event).kind === 'to');
    expect(leaving).toEqual(end === 'completed' ? [] : ['retry']);
  }
});
