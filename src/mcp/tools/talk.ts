import { z } from 'zod';
import { taskFor } from '../scope.ts';
import { tool } from '../tool.ts';
import { longText, taskId } from './fields.ts';
import { step } from './work.ts';

export const ask = tool({
  name: 'ask',
  description:
    'Asks the people of the thread that the task came from, and lets the task wait. The answer is appended to its prompt and queues it again: end your work on it now, or wait with next_event.',
  readOnly: false,
  reachesOut: true,
  input: z.strictObject({ task_id: taskId, question: longText }),
  run: (context, { task_id: id, question }) => step(context, id, 'ask', { question }),
});

export const comment = tool({
  name: 'comment',
  description:
    'Posts a comment in the thread that the task came from. For what people must know before the end; the result of complete_task is posted anyway.',
  readOnly: false,
  reachesOut: true,
  input: z.strictObject({ task_id: taskId, text: longText }),
  async run({ backend, scope }, { task_id: named, text }) {
    const { id } = await taskFor(backend, scope, named, 'change');
    const { id: outgoing, status } = await backend.change((operations) => operations.comment(id, text));
    return {
      text: `${outgoing} is on its way to the thread of ${id}.`,
      data: { outgoing: { id: outgoing, status, task_id: id } },
    };
  },
});
