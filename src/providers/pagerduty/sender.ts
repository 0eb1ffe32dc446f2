import type { JsonObject, Sender } from '../../types.ts';
import { noPerson } from '../kit/no-person.ts';
import { idAt, textAt } from '../kit/payload.ts';

/**
 * Who did it: a user, who is a member of the account, or nobody (an integration, a rule). An agent of a kind that is
 * not known counts as a person of whom nothing is told.
 */
export function senderOf(agent: JsonObject | null): Sender {
  const id = idAt(agent ?? undefined, 'id');
  const type = textAt(agent ?? undefined, 'type');
  if (agent === null || id === null) return noPerson('pagerduty', 'PagerDuty');
  const name = textAt(agent, 'summary') ?? id;
  if (type !== null && /^(?:service|integration|.*_integration|event_rule)(?:_reference)?$/.test(type)) {
    return noPerson(id, name);
  }
  const association = type === 'user_reference' || type === 'user' ? 'user' : null;
  return { id, name, kind: 'person', association, appId: null };
}
