import { z } from 'zod';
import type { Diagnostic } from '../../errors.ts';
import { type Source, toDiagnostic } from '../../lib/diagnostics.ts';
import { duration } from '../../lib/units.ts';
import type { Schedule } from '../../types.ts';

const schedule = z.strictObject({
  cron: z.string().min(1).describe('When: minute hour day month weekday, such as "0 9 * * mon-fri".'),
  timeZone: z.string().min(1).describe('Such as Europe/Berlin; default: that of the machine.').optional(),
  prompt: z.string().min(1).describe('What the agent is asked for.'),
  title: z.string().min(1).describe('Title of its tasks; default: the name of the schedule.').optional(),
  agent: z.string().min(1).describe('Agent of its tasks; default brain.').optional(),
  conversation: z
    .enum(['new', 'same'])
    .default('new')
    .describe('Whether each task starts a conversation (the default) or all go on in one.'),
  requiresApproval: z.boolean().default(false).describe('true: each task waits for `hookctl task approve`.'),
  missed: z
    .enum(['once', 'skip'])
    .default('once')
    .describe(
      'What passed while hookctl or the machine was off: one task for all of it (the default), or none.',
    ),
  jitter: duration
    .describe('Each task is made later by up to this much, such as 5m; default: it is not.')
    .optional(),
  enabled: z.boolean().default(true).describe('false: it makes no tasks.'),
});

/** `schedules:` of webhooks.yml. */
export const schedulesSchema = z.record(
  z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected a name of small letters, digits and -'),
  schedule,
);

interface ResolvedSchedules {
  readonly schedules: readonly Schedule[];
  readonly problems: readonly Diagnostic[];
}

/** The schedules with their time zones; the cron library is read only where there are some. */
export async function resolveSchedules(
  written: z.output<typeof schedulesSchema>,
  source: Source,
): Promise<ResolvedSchedules> {
  const entries = Object.entries(written);
  if (entries.length === 0) return { schedules: [], problems: [] };
  const { cronMistake } = await import('../../lib/cron/due-times.ts');
  const local = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const schedules = entries.map(([name, each]) => ({
    ...each,
    name,
    jitter: each.jitter ?? 0,
    timeZone: each.timeZone ?? local,
  }));
  const problems = schedules.flatMap((each) => {
    const mistake = cronMistake(each, Date.now());
    if (mistake === null) return [];
    const { field, message } = mistake;
    const fix =
      field === 'cron'
        ? 'Write five fields, such as "30 9 * * mon-fri".'
        : 'Write a name such as Europe/Berlin, or UTC.';
    return [toDiagnostic(source, { path: ['schedules', each.name, field], message, fix })];
  });
  return { schedules, problems };
}
