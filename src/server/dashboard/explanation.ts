import type { Explanation } from '../../deliveries/explain.ts';
import { commandLabel } from '../../labels.ts';

export type ExplanationView = ReturnType<typeof explanationView>;

/** An explanation as the API and `--json` give it. */
export function explanationView({ owner, obstacle, events }: Explanation) {
  return {
    owner,
    obstacle,
    events: events.map(({ type, externalId, ignored, matches, route, variant, inShadow }) => ({
      type,
      external_id: externalId,
      ignored,
      variant,
      in_shadow: inShadow,
      checkouts: route?.kind === 'checkouts' ? route.checkouts.map(({ folder }) => folder) : [],
      checkout_missing: route?.kind === 'missing' ? route.reason : null,
      commands: matches.map(({ command, fired, needsApproval, reason }) => ({
        command: commandLabel(command),
        fires: fired,
        needs_approval: needsApproval,
        reason,
      })),
    })),
  };
}
