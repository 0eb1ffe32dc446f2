import type { McpTool } from '../tool.ts';
import { ackEvent, nextEvent } from './events.ts';
import { getTask, listTasks } from './look.ts';
import { ask, comment } from './talk.ts';
import { completeTask, createSubtask, failTask, startTask } from './work.ts';

/** Every tool, in the order in which clients list them. One line each. */
export const tools: readonly McpTool[] = [
  listTasks,
  getTask,
  startTask,
  completeTask,
  failTask,
  createSubtask,
  ask,
  comment,
  nextEvent,
  ackEvent,
];
