import { z } from 'zod';
import { agentRunners } from '../../agents/index.ts';
import type { CommonOptions } from '../../agents/runner.ts';

const names = agentRunners.map(({ name }) => name).join(' or ');
const [first, ...others] = agentRunners.map(({ options }) => options);

const agent = z
  .discriminatedUnion('use', [first as z.ZodObject, ...others], {
    error: `expected { use: …, … } with use: ${names}`,
  })
  .transform((value) => value as unknown as CommonOptions);

/** `agents:` of webhooks.yml: who works on a task, by the task's agent. Without an entry its tasks wait for somebody. */
export const agentsSchema = z.record(
  z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'expected the name of an agent, such as planning'),
  agent,
);

const budget = (runs: number, usd: number, span: string) =>
  z
    .strictObject({
      runs: z.int().min(0).default(runs).describe(`Most runs ${span}; default ${runs}.`),
      usd: z.number().min(0).default(usd).describe(`Most dollars ${span}; default ${usd}.`),
    })
    .prefault({});

/** `runs:` of webhooks.yml: what all agents together may do. */
export const runsSchema = z.strictObject({
  concurrency: z.int().min(1).max(256).default(4).describe('Runs of all agents at once; default 4.'),
  openChildren: z
    .int()
    .min(0)
    .max(1000)
    .default(20)
    .describe('Most open tasks that agents may have made below one task; default 20.'),
  perThread: budget(20, 20, 'about one issue or thread within 24 hours').describe(
    'Budget of one issue or thread; beyond it runs are held.',
  ),
  perDay: budget(200, 50, 'within 24 hours').describe('Budget of 24 hours; beyond it runs are held.'),
});

/** What all runs together may take. */
export type RunLimits = z.output<typeof runsSchema>;
