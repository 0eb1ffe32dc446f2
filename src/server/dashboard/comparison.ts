import type { Difference } from '../../deliveries/explain.ts';
import type { Comparison } from '../../deliveries/variants/compare.ts';
import { snakeFields } from '../../lib/case.ts';
import type { Delivery } from '../../types.ts';
import { iso } from '../../views.ts';

/** How the API and `--json` give what two configurations decide differently about a delivery. */
export function differenceView(
  { event, eventType, command, before, after, changed, reason }: Difference,
  { id, externalId }: Pick<Delivery, 'id' | 'externalId'>,
) {
  return {
    ...{ delivery_id: id, external_id: externalId, event, event_type: eventType },
    ...{ command, before, after, changed, reason },
  };
}

/** A comparison of variants as the API and `--json` give it. */
export function comparisonView(webhook: string, since: number, comparison: Comparison) {
  const { variants, statements, shadows, differences } = comparison;
  return {
    ...{ webhook, since: iso(since), variants: variants.map(snakeFields), statements, shadows },
    differences: differences.map(({ delivery, variant, ...each }) => ({
      variant,
      ...differenceView(each, delivery),
    })),
  };
}
