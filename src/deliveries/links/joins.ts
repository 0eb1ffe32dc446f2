import { changeIn, madeBy, referencesOf, tellsOfChange } from '../../providers/links/change.ts';
import type { Reference } from '../../providers/links/closing.ts';
import { namesOf, type SubjectIds, subjectsAt } from '../../providers/links/names.ts';
import type { FlowJoin } from '../../store/flows.ts';
import type { Effect } from '../../store/store.ts';
import { findSubject, repositoriesNamedBy } from '../../tasks/flows.ts';
import type { Task } from '../../types.ts';
import type { EventContext, PipelineContext } from '../context.ts';
import { checkSender, checkTextSender, heldByTrust } from '../rules/senders.ts';

type LinkContext = Pick<PipelineContext, 'store' | 'repositories'>;

/** Things that one pull request joins at most. */
const MOST = 10;

/**
 * The joins of a pull request with what it belongs to: the task whose agent opened it, by the branch or the hidden mark, and what its
 * words close or name. Words count only of a sender who may command; a fork's pull request joins nothing by itself.
 */
export function joinsOf(context: LinkContext, eventContext: EventContext): readonly Effect[] {
  const { event, provider, delivery } = eventContext;
  if (delivery.trust === 'unverified' || event.externalId === null) return [];
  if (!tellsOfChange(provider.name, event)) return [];
  const change = changeIn(provider.name, event);
  if (change === null || change.isFork) return [];
  const { store } = context;
  const maker = taskOnBranch(context, eventContext, change.branch);
  const makers = [...madeBy(change), ...(maker === null ? [] : [maker.id])].flatMap((id) => {
    const flowId = store.task(id)?.flowId ?? store.flows({ id })[0]?.id;
    const flow = flowId === undefined ? undefined : store.flows({ id: flowId, owner: delivery.owner })[0];
    return flow === undefined ? [] : [{ names: flow, reason: `opened for ${id}` }];
  });
  const said = mayJoin(eventContext, change.authorId)
    ? referencesOf(provider.name, change).flatMap((reference) => {
        const names = subjectOf(context, eventContext, reference);
        return names === null ? [] : [{ names, reason: reference.said }];
      })
    : [];
  const own = eventContext.subject();
  const joins = [...makers, ...said].map(({ names, reason }) =>
    joinOf(store, eventContext, names, { reason, isAsked: false }),
  );
  const byFlow = new Map(joins.map((join) => [join.flows[1].flowId, join]));
  byFlow.delete(own.ownId);
  return [...byFlow.values()].slice(0, MOST).map((join) => ({ kind: 'join', join }));
}

/** The task whose run had a branch of hookctl. Null where it had it in another repository: everybody reads names of branches. */
function taskOnBranch(
  { store, repositories }: LinkContext,
  { event, delivery }: EventContext,
  branch: string,
): Task | null {
  const run = store.runOnBranch(branch);
  const task = run === null ? null : store.task(run.taskId);
  if (task === null || task.owner !== delivery.owner) return null;
  const here = repositories.routeOf(event.externalId ?? '', []);
  const there = repositories.routeOf(task.externalId, repositoriesNamedBy(store, task));
  if (there.kind === 'agent') {
    const [own, other] = [event.externalId ?? '', task.externalId].map(
      (id) => /^.+\/.+(?=[#!@])/.exec(id)?.[0],
    );
    return other === undefined || own === other ? task : null;
  }
  if (here.kind !== 'checkouts' || there.kind !== 'checkouts') return null;
  const [{ folder }] = here.checkouts;
  return there.checkouts.some((each) => each.folder === folder) ? task : null;
}

/** Whether the words are those of somebody who may command: a text by its author, a title by who opened the pull request. */
function mayJoin({ webhook, event, delivery }: EventContext, authorId: string | null): boolean {
  if (heldByTrust(webhook, delivery.trust) !== null) return false;
  if (event.text !== null) return checkTextSender(webhook.allow, event, delivery.trust).allowed;
  return event.sender?.id === authorId && checkSender(webhook.allow, event.sender).allowed;
}

/** The names of what a reference means; null where hookctl does not know that project or repository. */
function subjectOf(
  { store, repositories }: LinkContext,
  { event, delivery: { owner } }: EventContext,
  { name, isKey }: Reference,
): SubjectIds | null {
  if (isKey) return ticketOf({ store, repositories }, owner, name.toUpperCase());
  const names = namesOf(event, name);
  return names === null || (names.isOther && !repositories.has(names.externalId)) ? null : names;
}

/** A ticket counts where hookctl has a flow of it, or where `repositories` names its project. */
function ticketOf({ store, repositories }: LinkContext, owner: string, key: string): SubjectIds | null {
  const known = store.ticketsNamed(key, owner);
  const [first] = known;
  if (first !== undefined) return known.length === 1 ? { externalId: first } : null;
  const externalId = `jira:${key}`;
  return repositories.has(externalId) ? { externalId } : null;
}

/**
 * What a person names behind `link`: an address, `#4`, `acme/web#4`, the key of a ticket, or an external id. Null for anything else.
 * `event`: where it was written; null outside of any thread.
 */
export function namedSubject(
  context: LinkContext,
  owner: string,
  event: Parameters<typeof namesOf>[0] | null,
  text: string,
): SubjectIds | null {
  const name = text
    .trim()
    .replace(/^<([^|>]+)(?:\|[^>]*)?>$/, '$1')
    .replace(/[.,;:!?)]+$/, '');
  const pages = subjectsAt(name);
  const known = pages.find(
    ({ externalId }) => context.store.flows({ externalId, owner, limit: 1 }).length > 0,
  );
  const here = event === null ? null : namesOf(event, name);
  if (known !== undefined || here !== null || pages[0] !== undefined)
    return known ?? here ?? pages[0] ?? null;
  if (/^[A-Za-z][A-Za-z0-9]+-[1-9]\d*$/.test(name)) {
    const key = name.toUpperCase();
    return ticketOf(context, owner, key) ?? { externalId: `jira:${key}` };
  }
  return /^[a-z][a-z0-9-]*:\S+$/.test(name) && !name.includes('//') ? { externalId: name } : null;
}

/** The join of an event's subject with another one, which counts as the older where neither has a flow. */
export function joinOf(
  store: PipelineContext['store'],
  { subject, ids, index, delivery, event }: EventContext,
  names: SubjectIds,
  { reason, isAsked }: Pick<FlowJoin, 'reason' | 'isAsked'>,
): FlowJoin {
  const own = subject();
  const other = findSubject(store, delivery.owner, names);
  const source = ids(index, `@link ${other.ownId}`);
  return {
    flows: [
      { flowId: own.ownId, externalId: own.names.externalId, newConversationId: source.next('conv') },
      { flowId: other.ownId, externalId: names.externalId, newConversationId: source.next('conv') },
    ],
    reason,
    actor: event.sender === null ? delivery.provider : `${delivery.provider}:${event.sender.name}`,
    isAsked,
    owner: delivery.owner,
  };
}
