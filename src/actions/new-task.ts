import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { JsonObject, NewTask } from '../types.ts';
import type { ActionContext } from './action.ts';
import { replyNote } from './replying.ts';

/** As much of the first line as fits a list. */
const TITLE_LENGTH = 80;

interface TaskSketch extends Pick<NewTask, 'id' | 'title' | 'status'> {
  /** Joins what every task knows of the event it came from. */
  readonly metadata: JsonObject;
}

/** A task for the command's agent whose prompt is the rendered template. */
/** Agents read a task's address outside of fences, so that it is one, with its blanks escaped. */
function webAddress(url: string | null): string | null {
  return url !== null && /^https?:\/\//i.test(url) && URL.canParse(url) ? new URL(url).href : null;
}

export function taskFor(
  { webhook, command, template, replies }: ActionContext,
  { title, metadata, ...sketch }: TaskSketch,
): NewTask {
  return {
    ...sketch,
    title: shorten(escapeInvisibleLine(title), TITLE_LENGTH),
    agent: command.targetAgent,
    prompt: command.template.fenced(template),
    typed: template.argument,
    url: webAddress(template.event.url),
    syncToClaudeTasks: webhook.syncToClaudeTasks,
    sourceMetadata: {
      provider: webhook.providerName,
      event_type: template.event.type,
      ...replyNote(replies),
      ...metadata,
    },
  };
}
