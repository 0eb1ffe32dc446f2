import type { FlowAlias, SettledTask } from '../store/store.ts';
import { flowOf, newAliases } from '../tasks/flows.ts';
import type { WebhookEvent } from '../types.ts';
import type { PipelineContext } from './context.ts';
import type { Occasion } from './occasion.ts';

/** Whether an event tells of a rename, transfer or move of its subject. */
export function isMove({ stableIds = [], otherIds = [] }: WebhookEvent): boolean {
  return stableIds.length > 1 || otherIds.length > 0;
}

/**
 * The names to keep with the event's flow: when it made a task there, and when its subject was moved. A delivery that was not
 * verified adds none, because names outlast it.
 */
export function aliasesFor(
  { store }: Pick<PipelineContext, 'store'>,
  { event, delivery }: Occasion,
  tasks: readonly SettledTask[],
): readonly FlowAlias[] {
  const { externalId } = event;
  if (externalId === null || delivery.trust === 'unverified') return [];
  if (tasks.length === 0 && !isMove(event)) return [];
  const names = { ...event, externalId };
  return newAliases(store, flowOf(store, names), names);
}
