import { z } from 'zod';
import { commandLabel } from '../labels.ts';
import { ownText } from '../types/post-text.ts';
import type { NewOutgoing } from '../types.ts';
import { type Action, type ActionContext, outcome } from './action.ts';
import { taskFor } from './new-task.ts';
import { replyTo } from './replying.ts';

/** The default action: the rendered template becomes a task for the command's agent, and the sender is told at once. */
export const createTask: Action = {
  name: 'create_task',
  reachesOut: false,
  usesTemplate: true,
  options: z.strictObject({}),

  async run(context) {
    const { command, template, needsApproval, ids } = context;
    const firstLine = command.template
      .plain(template)
      .split('\n')
      .find((line) => line.trim() !== '');
    const id = ids.next('task');
    const first = immediateResponse(context, id);
    const task = taskFor(context, {
      id,
      title: firstLine ?? `${commandLabel(command)}: ${template.event.type}`,
      status: needsApproval ? 'waiting_approval' : 'queued',
      // The comment that later results replace.
      metadata: first?.kind === 'comment' ? { comment_outgoing_id: first.id } : {},
    });
    return outcome({ tasks: [task], outgoing: first === null ? [] : [first] });
  },
};

/** What the provider's users expect at once: 👀, a short comment, a note; null where nothing is posted. */
function immediateResponse(context: ActionContext, taskId: string): NewOutgoing | null {
  const { ids, replies, template, webhook, command, needsApproval } = context;
  if (replies.state !== 'on') return null;
  const immediate = replies.channel.immediate(template.event, webhook);
  if (immediate === null) return null;
  if (immediate.kind === 'react')
    return replyTo(ids, replies.place, { kind: 'react', content: immediate.emoji });
  const state = needsApproval ? 'waits for approval' : `is queued for ${command.targetAgent}`;
  return replyTo(ids, replies.place, { kind: immediate.kind, content: ownText(`\`${taskId}\` ${state}.`) });
}
