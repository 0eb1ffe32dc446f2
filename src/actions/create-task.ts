import { z } from 'zod';
import { failure } from '../errors.ts';
import { commandLabel } from '../labels.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import { ownText } from '../types/text.ts';
import type { JsonObject, NewOutgoing, NewTask } from '../types.ts';
import { type Action, type ActionContext, outcome } from './action.ts';
import { mustReply, replyNote, replyTo, silence, webAddress } from './replying.ts';

/** The default action: the rendered template becomes a task for the command's agent, and the sender is told at once. */
export const createTask: Action = {
  name: 'create_task',
  reachesOut: false,
  usesTemplate: true,
  options: z.strictObject({}),

  async run(context) {
    const { command, template, further, needsApproval, ids } = context;
    const { plain, fenced } = await command.template.compiled();
    const prompts = [template, ...further].map(fenced);
    const firstLine = plain(template)
      .split('\n')
      .find((line) => line.trim() !== '');
    const id = ids.next('task');
    const first = immediateResponse(context, id);
    const task = taskFor(context, {
      id,
      prompt: prompts.length === 1 ? (prompts[0] ?? '') : numbered(prompts),
      title: (firstLine ?? `${commandLabel(command)}: ${template.event.type}`) + more(further.length),
      status: needsApproval ? 'waiting_approval' : 'queued',
      // The comment that later results replace.
      metadata: first?.kind === 'comment' ? { comment_outgoing_id: first.id } : {},
    });
    return outcome({ tasks: [task], outgoing: first === null ? [] : [first] });
  },
};

/** Events that came close together, in their order. */
function numbered(prompts: readonly string[]): string {
  const parts = prompts.map((prompt, index) => `Event ${index + 1} of ${prompts.length}:\n\n${prompt}`);
  return [
    `${prompts.length} events came close together; the last one tells the present state.`,
    ...parts,
  ].join('\n\n');
}

function more(count: number): string {
  return count === 0 ? '' : ` (+${count})`;
}

/** The provider's usual acknowledgement: 👀, a short comment, a note. Null when nothing is posted. */
function immediateResponse(context: ActionContext, taskId: string): NewOutgoing | null {
  const { ids, replies, template, webhook, command, needsApproval } = context;
  if (replies.state !== 'on' || replies.afterApproval) return null;
  const { channel, place } = replies;
  if (needsApproval && channel.isPost !== undefined) {
    // Where all see it who may approve, with its buttons.
    const asked = replyTo(ids, place, {
      kind: 'comment',
      content: ownText(`\`${taskId}\` waits for approval.`),
    });
    return { ...asked, buttonsOf: taskId, buttonsAt: 'waiting_approval' };
  }
  const immediate = channel.immediate(template.event, webhook);
  if (immediate === null) return null;
  if (immediate.kind === 'react') return replyTo(ids, place, { kind: 'react', content: immediate.emoji });
  const state = needsApproval ? 'waits for approval' : `is queued for ${command.targetAgent}`;
  return replyTo(ids, place, { kind: immediate.kind, content: ownText(`\`${taskId}\` ${state}.`) });
}

/**
 * A task that needs a person's word: the rendered template is posted as a question, and the task waits until the next
 * allowed reply in the thread answers it (`deliveries/steering.ts`).
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
    const { plain, posted, fenced } = await command.template.compiled();
    const question = plain(template);
    const id = ids.next('task');
    const outgoing = mustReply(context, { kind: 'comment', content: posted(template) });
    const task = taskFor(context, {
      id,
      prompt: fenced(template),
      title: `[INTERACTIVE] ${question}`,
      status: 'waiting_answer',
      metadata: { question_outgoing_id: outgoing[0]?.id ?? null },
    });
    return outcome({ tasks: [task], outgoing, note: silence(context.replies) });
  },
};

/** Characters of a title: as many as fit a list. */
const TITLE_LENGTH = 80;

interface TaskSketch extends Pick<NewTask, 'id' | 'title' | 'prompt' | 'status'> {
  /** Joins what every task knows of the event it came from. */
  readonly metadata: JsonObject;
}

/** A task for the command's agent whose prompt is the rendered template. */
function taskFor(
  { webhook, command, template, replies }: ActionContext,
  { title, metadata, ...sketch }: TaskSketch,
): NewTask {
  return {
    ...sketch,
    title: shorten(escapeInvisibleLine(title), TITLE_LENGTH),
    agent: command.targetAgent,
    typed: template.argument,
    url: webAddress(template.event.url),
    syncToClaudeTasks: webhook.syncToClaudeTasks,
    sourceMetadata: {
      provider: webhook.providerName,
      event_type: template.event.type,
      ...replyNote(replies),
      ...(template.flow?.headSha != null && { head_sha: template.flow.headSha }),
      ...metadata,
    },
  };
}
