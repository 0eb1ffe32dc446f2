import { z } from 'zod';
import { failure } from '../errors.ts';
import { type Action, outcome } from './action.ts';
import { taskFor } from './new-task.ts';
import { mustReply, silence } from './replying.ts';

/**
 * A task that needs a person's word: the rendered template is posted as a question, and the task waits until the next
 * allowed reply in the thread answers it (`pipeline/answer.ts`).
 */
export const ask: Action = {
  name: 'ask',
  reachesOut: true,
  usesTemplate: true,
  options: z.strictObject({}),

  async run(context) {
    const { command, template, ids } = context;
    if (template.event.externalId === null) {
      throw failure('no_thread', 'there is no thread in which an answer could come');
    }
    const question = command.template.plain(template);
    const id = ids.next('task');
    const outgoing = mustReply(context, { kind: 'comment', content: command.template.posted(template) });
    const task = taskFor(context, {
      id,
      title: `[INTERACTIVE] ${question}`,
      status: 'waiting_answer',
      metadata: { question_outgoing_id: outgoing[0]?.id ?? null },
    });
    return outcome({ tasks: [task], outgoing, note: silence(context.replies) });
  },
};
