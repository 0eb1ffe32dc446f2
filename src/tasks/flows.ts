import { hash } from 'node:crypto';
import type { FlowAlias, StoreReader } from '../store/store.ts';
import { type Flow, type JsonObject, ownedName, type Task, type WebhookEvent } from '../types.ts';

/** The names by which an event calls its subject. */
type SubjectNames = Pick<WebhookEvent, 'stableIds' | 'otherIds'> & { readonly externalId: string };

type FlowReader = Pick<StoreReader, 'flows' | 'aliases' | 'aliasesOf' | 'linkOf'>;

/** The id of a flow whose subject is first seen under this name: the same on every machine. */
function flowIdOf(name: string): string {
  return `flow-${hash('sha256', name).slice(0, 16)}`;
}

/** An event without a subject has a flow of its own, named after its delivery. */
export function ownExternalId(provider: string, deliveryId: string): string {
  return `${provider}:delivery/${deliveryId}`;
}

/** The flow of an event's subject, and the names by which it was found. */
export interface Subject {
  /** The flow to which its tasks belong: its own, or the older one with which that was joined. */
  readonly flowId: string;
  /** The flow that its names lead to. */
  readonly ownId: string;
  /** That flow. Null when it does not exist yet. */
  readonly flow: Flow | null;
  readonly names: SubjectNames;
  readonly owner: string;
  /** The aliases among the names. */
  readonly known: readonly FlowAlias[];
}

/**
 * Looks a subject of an owner up. Stable ids are asked first, so that a renamed, transferred or moved subject keeps its flow. An external id that
 * belonged to another subject before (a repository with the name of an older one) gets a flow of its own.
 */
export function findSubject(store: FlowReader, owner: string, names: SubjectNames): Subject {
  const { externalId, stableIds, otherIds } = ownedNames(owner, names);
  const known = store.aliases([...stableIds, externalId, ...otherIds]);
  const byName = new Map(known.map(({ alias, flowId }) => [alias, flowId]));
  const subject = (ownId: string, flow = flowAt(store, ownId)): Subject => ({
    flowId: flow === null ? ownId : rootOf(store, ownId),
    ownId,
    ...{ flow, names, owner, known },
  });
  const stable = stableIds.map((id) => byName.get(id)).find((flowId) => flowId !== undefined);
  if (stable !== undefined) return subject(stable);
  const named = (name: string) => byName.get(name) ?? flowIdOf(name);
  const own = named(externalId);
  const ownFlow = flowAt(store, own);
  const isOwnFree = ownFlow === null || isFree(store, own, stableIds);
  if (ownFlow !== null && isOwnFree) return subject(own, ownFlow);
  for (const other of otherIds.map(named)) {
    const flow = flowAt(store, other);
    if (flow !== null && isFree(store, other, stableIds)) return subject(other, flow);
  }
  const [first] = stableIds;
  return first === undefined || isOwnFree ? subject(own, ownFlow) : subject(flowIdOf(first));
}

/** The names as flows of this owner are found by them. */
function ownedNames(owner: string, { externalId, stableIds = [], otherIds = [] }: SubjectNames) {
  const owned = (name: string) => ownedName(owner, name);
  return {
    externalId: owned(externalId),
    stableIds: stableIds.map(owned),
    otherIds: otherIds.map(owned),
  };
}

/** The flow in which a flow goes on since they were joined; itself where they were not. */
function rootOf(store: Pick<FlowReader, 'linkOf'>, flowId: string): string {
  const link = store.linkOf(flowId);
  return link === null ? flowId : rootOf(store, link.intoFlowId);
}

/** The flow in which others go on, and those: tasks that were made before a join keep the flow that they had. */
export function flowsTogether(store: Pick<StoreReader, 'linksInto'>, flowId: string): readonly string[] {
  return [flowId, ...store.linksInto(flowId).flatMap((link) => flowsTogether(store, link.flowId))];
}

/**
 * Names of repositories that the issue of a task names. They are kept with the root of a chain: its children run where it ran. What an
 * agent made names none.
 */
export function repositoriesNamedBy(store: Pick<StoreReader, 'task'>, task: Task): readonly string[] {
  const { source, sourceMetadata } = store.task(task.initiatedTaskId) ?? task;
  const { repositories: named } = sourceMetadata;
  if (source === 'mcp' || !Array.isArray(named)) return [];
  return named.filter((name) => typeof name === 'string');
}

function flowAt(store: FlowReader, id: string): Flow | null {
  return store.flows({ id })[0] ?? null;
}

/** Whether no other subject has the flow. */
function isFree(store: FlowReader, flowId: string, stableIds: readonly string[]): boolean {
  const owners = store.aliasesOf(flowId).filter(({ stable }) => stable);
  return owners.length === 0 || owners.some(({ alias }) => stableIds.includes(alias));
}

/** The names by which a subject's flow is to be found from now on: all but those that lead to a flow already. */
export function newAliases({ ownId: flowId, names, owner, known }: Subject): readonly FlowAlias[] {
  const { externalId, stableIds, otherIds } = ownedNames(owner, names);
  const taken = new Set(known.map(({ alias }) => alias));
  return [
    ...stableIds.map((alias) => ({ alias, flowId, stable: true })),
    ...[externalId, ...otherIds].map((alias) => ({ alias, flowId, stable: false })),
  ].filter(({ alias, stable }) => !taken.has(alias) && (stable || flowIdOf(alias) !== flowId));
}

const PHRASES = ['new conversation', 'start fresh', 'new context', 'reset conversation'];

const ASKS = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${PHRASES.map(spaced).join('|')})(?![\\p{L}\\p{N}_])`, 'iu');

/**
 * Whether a person asked for a new conversation in what they typed. Only typed text is asked: an issue that merely
 * says "we should start fresh" must not break the chain.
 */
export function asksForNewConversation(typed: string): boolean {
  return ASKS.test(typed);
}

function spaced(phrase: string): string {
  return phrase.replaceAll(' ', '\\s+');
}

/**
 * Whether a task that is made by hand leaves its parent's conversation: the metadata decides where it says something,
 * else what was typed.
 */
export function startsNewConversation(typed: string, { new_conversation: asked }: JsonObject): boolean {
  return typeof asked === 'boolean' ? asked : asksForNewConversation(typed);
}
