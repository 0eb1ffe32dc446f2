import { z } from 'zod';
import { byteSize, duration } from '../../lib/units.ts';

const commandLine = z.union([
  z
    .string()
    .min(1)
    .transform((program) => [program]),
  z.array(z.string().min(1)).min(1),
]);

const programs = (when: string) =>
  z
    .array(commandLine)
    .default([])
    .describe(`Programs that run in the workspace ${when}: a name, or [program, argument, …]; no shell.`);

const USES = ['shared', 'worktree', 'clone'] as const;

const fields = z.strictObject({
  use: z
    .enum(USES)
    .default('worktree')
    .describe('shared: the folder `cwd` itself; worktree or clone: one of its own for each conversation.'),
  base: z
    .string()
    .regex(/^[A-Za-z0-9][\w./-]*$/, 'expected a branch or commit, such as main or origin/main')
    .describe('Where its branch starts; a branch of a remote is fetched first. Default: the HEAD of `cwd`.')
    .optional(),
  setup: programs('once it is made'),
  teardown: programs('before it is removed, also after a kill'),
  timeout: duration.prefault('10m').describe('Most time of one of these programs; default 10m.'),
  keepFor: duration
    .prefault('1d')
    .describe('How long it is kept after the last task of its flow has ended; default 1d.'),
});

/** `workspace:` of an agent: a name alone means `{ use: name }`. */
export const workspaceSchema = z.union([z.enum(USES).transform((use) => fields.parse({ use })), fields], {
  error: 'expected shared, worktree or clone, or { use, base, setup, teardown, timeout, keepFor }',
});

export type WorkspaceSettings = z.output<typeof workspaceSchema>;

/** A folder to work in, or to make a checkout of. */
export interface Place {
  /** Absolute, with every link followed. */
  readonly folder: string;
  /** As a line of `repositories:` names it; null for the folder of an agent. */
  readonly repository: string | null;
}

/** Where an agent works: as written; by default a clone in a sandbox, and without one the shared folder. */
export function workspaceOf(options: {
  readonly workspace?: WorkspaceSettings | undefined;
  readonly sandbox?: unknown;
}): WorkspaceSettings {
  return options.workspace ?? fields.parse({ use: options.sandbox === undefined ? 'shared' : 'clone' });
}

/** `workspaces:` of webhooks.yml: what all of them together may take. */
export const workspaceLimitsSchema = z.strictObject({
  folder: z.string().startsWith('/', 'expected an absolute path').describe('Where they are made.').optional(),
  size: byteSize.prefault('20GB').describe('Most bytes of all workspaces; beyond it no new one is made.'),
  count: z.int().min(1).max(10_000).default(50).describe('Most workspaces; beyond it no new one is made.'),
});

export type WorkspaceLimits = z.output<typeof workspaceLimitsSchema>;
