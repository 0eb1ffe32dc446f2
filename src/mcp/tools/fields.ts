import { z } from 'zod';

/** Arguments that several tools take. */

export const taskId = z
  .string()
  .min(1)
  .optional()
  .describe('Id of the task (task-…). In a run of hookctl: default the task of this run.');

export const longText = z.string().trim().min(1).max(100_000);

export const agentName = z.string().min(1).max(100);
