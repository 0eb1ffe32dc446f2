import { z } from 'zod';
import { capOf } from '../../agents/settings.ts';
import type { Diagnostic } from '../../errors.ts';
import { type Source, toDiagnostic } from '../../lib/diagnostics.ts';
import { suggest, suggestion } from '../../lib/suggest.ts';
import { duration } from '../../lib/units.ts';
import type { Issue } from '../../types.ts';
import { ownerName } from '../schema.ts';

/** A task list of Claude Code. */
export const claudeListName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected a name of letters, digits, - and _');

const listOf = (what: string) => z.array(z.string().min(1)).readonly().describe(what).optional();

const owner = z.strictObject({
  perDay: capOf('24 hours'),
  perWeek: capOf('7 days'),
  concurrency: z
    .int()
    .min(1)
    .max(256)
    .describe('Runs for it at once; default: no limit of its own.')
    .optional(),
  rateLimit: z
    .strictObject({
      perSecond: z.number().positive().describe('Verified deliveries a second, all its webhooks together.'),
      burst: z.int().positive().describe('How many may come at once.'),
    })
    .describe('What is beyond is answered 429 with Retry-After.')
    .optional(),
  agents: listOf('The agents that may work for it; default: all.'),
  actions: listOf('What its commands may do: [create_task, comment]; default: everything.'),
  repositories: listOf(
    'Lines of `repositories` in whose checkouts its tasks may run; default: all, and the folders of agents.',
  ),
  claudeList: claudeListName
    .describe('Task list in Claude Code for its tasks; default: that of the project.')
    .optional(),
  retention: z
    .strictObject({
      bodies: duration.describe('How long bytes can be read; default: `retention.age`.').optional(),
      rows: duration
        .describe(
          'How long rows of deliveries are kept; default 90d. A second delivery of what is gone runs again.',
        )
        .optional(),
    })
    .refine(({ bodies = 0, rows = Number.POSITIVE_INFINITY }) => rows >= bodies, {
      error: 'expected rows that are kept as long as their bodies, or longer',
      path: ['rows'],
    })
    .describe('What is kept of its deliveries that were worked off.')
    .optional(),
});

/** `owners:` of webhooks.yml. */
export const ownersSchema = z.record(ownerName, owner);

/** What `owners:` names that is not there. */
export function ownerProblems(
  owners: z.output<typeof ownersSchema>,
  source: Source,
  known: { readonly actions: readonly string[]; readonly repositories: readonly string[] },
): readonly Diagnostic[] {
  const unknown = (
    name: string,
    field: 'actions' | 'repositories',
    noun: string,
    names: readonly string[],
  ): readonly Issue[] =>
    (owners[name]?.[field] ?? []).flatMap((each, index) =>
      names.includes(each)
        ? []
        : [
            {
              path: ['owners', name, field, index],
              message: `there is no ${noun} ${each}`,
              fix:
                field === 'repositories' && suggest(each, names) === null
                  ? `Write \`${each}: /path/to/its/checkout\` under repositories, or remove it.`
                  : suggestion(each, names),
            },
          ],
    );
  return Object.keys(owners)
    .flatMap((name) => [
      ...unknown(name, 'actions', 'action', known.actions),
      ...unknown(name, 'repositories', 'line of `repositories`', known.repositories),
    ])
    .map((issue) => toDiagnostic(source, issue));
}
