import { z } from 'zod';
import { duration } from '../lib/units.ts';
import { sandboxSchema } from './sandbox/settings.ts';
import { workspaceSchema } from './workspace/settings.ts';

const repository = z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'expected owner/name');

const LONGEST_MS = 24 * 3_600_000;

/** Most runs and dollars within a time; what is left out has no limit. */
export const capOf = (span: string) =>
  z
    .strictObject({
      runs: z.int().min(0).describe(`Most runs within ${span}.`).optional(),
      usd: z.number().min(0).describe(`Most dollars within ${span}.`).optional(),
    })
    .describe(`What may be spent within ${span}; beyond it runs are held.`)
    .optional();

/** The settings that every agent has, whatever its runner. `describe` is what an editor shows in webhooks.yml. */
export const commonFields = {
  cwd: z
    .string()
    .min(1)
    .default('.')
    .describe('Folder to work in: within the project, or an absolute path that you name here.'),
  timeout: duration
    .refine((ms) => ms <= LONGEST_MS, 'expected at most 24h')
    .prefault('20m')
    .describe('When a run is ended, such as 20m (the default).'),
  outputMb: z.number().positive().max(10_000).default(50).describe('Most output of a run, in megabytes.'),
  concurrency: z.int().min(1).max(64).default(1).describe('Runs of this agent at once; default 1.'),
  perDay: capOf('24 hours'),
  perWeek: capOf('7 days'),
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected names of environment variables'))
    .default([])
    .describe('Further variables that it may see; secrets of webhooks and of replies are never passed on.'),
  github: z
    .union([z.boolean(), z.strictObject({ repositories: z.array(repository).min(1) })], {
      error: 'expected true, false, or { repositories: [owner/name] }',
    })
    .default(false)
    .describe(
      'true: git gets tokens of hookctl’s GitHub App for the repository that a task came from; { repositories: [owner/name] }: for these as well.',
    ),
  mayCall: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Agents for which its runs may make subtasks that start at once; those for other agents wait for approval.',
    ),
  workspace: workspaceSchema
    .describe('Where it works: shared (the default), or a worktree or clone for each conversation.')
    .optional(),
  sandbox: sandboxSchema
    .describe('What keeps it apart from the machine: bwrap, docker or podman; default: nothing does.')
    .optional(),
  rerunOnCrash: z
    .boolean()
    .default(false)
    .describe('true: a run that the end of hookctl interrupted is repeated at the next start.'),
};

/** Settings of agents whose program takes a model and keeps within a budget of its own or of hookctl. */
export const modelFields = {
  model: z
    .string()
    .regex(/^[\w][\w.:/@[\]-]*$/, 'expected the name of a model')
    .describe('Name of the model; default: what the program is set to.')
    .optional(),
  budgetUsd: z.number().positive().describe('Most that one run may cost, in dollars.').optional(),
};

/** Between SIGTERM and SIGKILL: less than what `serve` has for its own end. */
export const GRACE_MS = 3_000;
