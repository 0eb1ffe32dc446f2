import { type Effect, effectsOf, type FlowAlias } from '../../store/store.ts';
import { newAliases, type Subject } from '../../tasks/flows.ts';
import { unownedName } from '../../types.ts';
import type { EventContext, PipelineContext } from '../context.ts';
import { isMove } from '../match.ts';

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
  const { flowId, ownId, names } = subject;
  const aliases = newAliases(subject);
  const former = formerNames(store, subject, aliases);
  const moved = former.length > 0 ? subjectThread(eventContext) : null;
  const externalIds = [names.externalId, ...former];
  return [
    ...aliases.map((alias) => ({ kind: 'alias' as const, alias })),
    ...(moved === null
      ? []
      : [{ kind: 'move' as const, to: { flowIds: [flowId, ownId], externalIds, ...moved } }]),
  ];
}

/** Other external ids that the subject has, or had, in its own flow. */
function formerNames(
  store: PipelineContext['store'],
  { ownId, flow, names, owner }: Subject,
  added: readonly FlowAlias[],
): readonly string[] {
  if (flow === null) return [];
  const aliases = [...added, ...store.aliasesOf(ownId)].filter(({ stable }) => !stable);
  const known = new Set([flow.externalId, ...aliases.map(({ alias }) => unownedName(owner, alias))]);
  known.delete(names.externalId);
  return [...known];
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
