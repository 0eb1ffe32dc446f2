import { z } from 'zod';
import { failure } from '../errors.ts';
import { shorten, visibleLine } from '../lib/visible.ts';
import { type Action, outcome } from './action.ts';
import { mustReply, replyNote, silence } from './replying.ts';

const TITLE_LENGTH = 80;

/**
 * A task that needs a person's word: the rendered template is posted as a question, and the task waits until the next
 * allowed reply in the thread answers it (`pipeline/answer.ts`).
 */
export const ask: Action = {
  name: 'ask',
  reachesOut: true,
  options: z.strictObject({}),

  async run(context) {
    const { webhook, command, template, ids } = context;
    if (template.event.externalId === null) {
      throw failure('no_thread', 'there is no thread in which an answer could come');
    }
    const question = command.template.plain(template);
    const id = ids.next('task');
    const outgoing = mustReply(context, { kind: 'comment', content: question });
    const task = {
      id,
      title: shorten(`[INTERACTIVE] ${visibleLine(question)}`, TITLE_LENGTH),
      status: 'waiting_answer' as const,
      agent: command.targetAgent,
      prompt: command.template.fenced(template),
      typed: template.argument,
      url: template.event.url,
      syncToClaudeTasks: webhook.syncToClaudeTasks,
      sourceMetadata: {
        provider: webhook.provider,
        event_type: template.event.type,
        ...replyNote(context.replies),
        question_outgoing_id: outgoing[0]?.id ?? null,
      },
    };
    return outcome({ tasks: [task], outgoing, note: silence(context.replies) });
  },
};
