import { shorten, visibleLine } from '../lib/visible.ts';
import type { Action } from './action.ts';

/** As much of the first line as fits a list. */
const TITLE_LENGTH = 80;

/** The default action: the rendered template becomes a task for the command's agent. */
export const createTask: Action = {
  name: 'create_task',
  reachesOut: false,

  async run({ webhook, command, template, needsApproval, ids }) {
    const firstLine = command.template
      .plain(template)
      .split('\n')
      .find((line) => line.trim() !== '');
    return {
      tasks: [
        {
          id: ids.next('task'),
          title: shorten(visibleLine(firstLine ?? `${command.id}: ${template.event.type}`), TITLE_LENGTH),
          status: needsApproval ? 'waiting_approval' : 'queued',
          agent: command.targetAgent,
          prompt: command.template.fenced(template),
          typed: template.argument,
          url: template.event.url,
          syncToClaudeTasks: webhook.syncToClaudeTasks,
          sourceMetadata: { provider: webhook.provider, event_type: template.event.type },
        },
      ],
    };
  },
};
