import { z } from 'zod';

/** Bounds of repairs, as a webhook's `repair` and the options of the action say them. */
export const repairBounds = z.strictObject({
  checks: z
    .array(z.string().min(1))
    .min(1, 'expected at least one name of a check, workflow or pipeline; * stands for any letters')
    .readonly()
    .describe('Names of checks, workflows or pipelines whose failures are repaired; * is any text.'),
  branches: z
    .array(z.string().min(1))
    .readonly()
    .default(['hookctl/*'])
    .describe(
      'Branches that are repaired, beside those of pull requests that tasks opened. Default hookctl/*.',
    ),
  attempts: z.int().min(1).max(20).default(2).describe('Most repairs of one pull request; default 2.'),
  perDay: z.int().min(1).max(1000).default(10).describe('Most repairs of all within 24 hours; default 10.'),
  notify: z
    .string()
    .regex(/^@?[\w./-]{1,100}$/, 'expected the name of a person or team, such as @octocat')
    .optional()
    .describe('Who is tagged when a repair ends without success: @octocat.'),
});

export type RepairBounds = z.output<typeof repairBounds>;
