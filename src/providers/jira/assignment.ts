import type { JsonObject } from '../../types.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';

/**
 * Whether this event gives the issue to the agent: `agentUser` is its account id on Cloud, its user key or name on Data
 * Center. An account that assigns an issue to itself asks nobody for anything.
 */
export function isAssignedTo(agentUser: string | null, payload: JsonObject): boolean {
  if (agentUser === null || isAccount(objectAt(payload, 'user'), agentUser)) return false;
  const assignee = isAccount(objectAt(payload, 'issue', 'fields', 'assignee'), agentUser);
  switch (textAt(payload, 'webhookEvent')) {
    case 'jira:issue_created':
      return assignee;
    case 'jira:issue_updated': {
      const changes = objectsAt(payload, 'changelog', 'items').filter(
        (item) => textAt(item, 'field') === 'assignee',
      );
      // The new value is an account id or a user key; names stand in the issue alone.
      if (changes.length > 0) return changes.some((item) => idAt(item, 'to') === agentUser) || assignee;
      return textAt(payload, 'issue_event_type_name') === 'issue_assigned' && assignee;
    }
    default:
      return false;
  }
}

function isAccount(account: JsonObject | null, id: string): boolean {
  return ['accountId', 'key', 'name'].some((field) => idAt(account ?? undefined, field) === id);
}
