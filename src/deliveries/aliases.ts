import { type Effect, effectsOf, type FlowAlias } from '../store/store.ts';
import { newAliases, type Subject } from '../tasks/flows.ts';
import type { EventContext, PipelineContext } from './context.ts';
import { isMove } from './match.ts';

/**
 * The names to keep with the event's flow, and where its tasks post from now on: when the event made a task there or spoke to one,
 * and when its subject was moved. A delivery that was not verified changes neither, because names outlast it.
 */
export function subjectNames(
  { store }: Pick<PipelineContext, 'store'>,
  eventContext: EventContext,
  effects: readonly Effect[],
  isSaid: boolean,
): readonly Effect[] {
  const { event, delivery } = eventContext;
  if (event.externalId === null || delivery.trust === 'unverified') return [];
  if (effectsOf(effects, 'task').length === 0 && !isSaid && !isMove(event)) return [];
  const subject = eventContext.subject();
  const { flowId } = subject;
  const aliases = newAliases(subject);
  const moved = wasRenamed(store, subject, aliases) ? subjectThread(eventContext) : null;
  return [
    ...aliases.map((alias) => ({ kind: 'alias' as const, alias })),
    ...(moved === null ? [] : [{ kind: 'move' as const, to: { flowId, ...moved } }]),
  ];
}

/** Whether the flow's subject has, or had, another external id than this one. */
function wasRenamed(
  store: PipelineContext['store'],
  { flowId, flow, names }: Subject,
  added: readonly FlowAlias[],
): boolean {
  if (flow === null) return false;
  const aliases = [...added, ...store.aliasesOf(flowId)];
  return flow.externalId !== names.externalId || aliases.some(({ stable }) => !stable);
}

/** The fields of the event's thread that name its subject. Null when the subject has moved on. */
function subjectThread({ event, provider: { reply } }: EventContext) {
  const fields = reply?.subjectFields ?? [];
  const thread = event.hasMovedOn === true ? null : (reply?.place(event) ?? null);
  if (thread === null || fields.length === 0) return null;
  const named = fields.flatMap((field) => {
    const value = thread[field] ?? null;
    return value === null ? [] : [[field, value] as const];
  });
  return { place: Object.fromEntries(named) };
}
