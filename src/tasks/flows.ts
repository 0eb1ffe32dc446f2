import { createHash } from 'node:crypto';
import type { FlowAlias, StoreReader } from '../store/store.ts';
import type { JsonObject, WebhookEvent } from '../types.ts';

/** The names by which an event calls its subject. */
type SubjectNames = Pick<WebhookEvent, 'stableIds' | 'otherIds'> & { readonly externalId: string };

type FlowReader = Pick<StoreReader, 'flows' | 'aliases' | 'aliasesOf'>;

/** The id of a flow whose subject is first seen under this name: the same on every machine. */
function flowIdOf(name: string): string {
  return `flow-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

/** An event without a subject has a flow of its own, named after its delivery. */
export function ownExternalId(provider: string, deliveryId: string): string {
  return `${provider}:delivery/${deliveryId}`;
}

/**
 * The flow of a subject, which need not exist yet. Stable ids are asked first, so that a renamed, transferred or moved subject keeps
 * its flow. An external id that belonged to another subject before (a repository with the name of an older one) gets a flow of
 * its own.
 */
export function flowOf(store: FlowReader, names: SubjectNames): string {
  const { externalId, stableIds = [], otherIds = [] } = names;
  const known = new Map(store.aliases(allOf(names)).map(({ alias, flowId }) => [alias, flowId]));
  const stable = stableIds.map((id) => known.get(id)).find((flowId) => flowId !== undefined);
  if (stable !== undefined) return stable;
  const named = (name: string) => known.get(name) ?? flowIdOf(name);
  const open = [externalId, ...otherIds]
    .map(named)
    .find((flowId) => store.flows({ id: flowId }).length > 0 && isFree(store, flowId, stableIds));
  const [first] = stableIds;
  if (open !== undefined || first === undefined) return open ?? named(externalId);
  return isFree(store, named(externalId), stableIds) ? named(externalId) : flowIdOf(first);
}

/** Whether no other subject has the flow. */
function isFree(store: FlowReader, flowId: string, stableIds: readonly string[]): boolean {
  const owners = store.aliasesOf(flowId).filter(({ stable }) => stable);
  return owners.length === 0 || owners.some(({ alias }) => stableIds.includes(alias));
}

/** The names by which a subject's flow is to be found from now on: all but those that lead to a flow already. */
export function newAliases(store: FlowReader, flowId: string, names: SubjectNames): readonly FlowAlias[] {
  const { externalId, stableIds = [], otherIds = [] } = names;
  const known = new Set(store.aliases(allOf(names)).map(({ alias }) => alias));
  return [
    ...stableIds.map((alias) => ({ alias, flowId, stable: true })),
    ...[externalId, ...otherIds].map((alias) => ({ alias, flowId, stable: false })),
  ].filter(({ alias, stable }) => !known.has(alias) && (stable || flowIdOf(alias) !== flowId));
}

function allOf({ externalId, stableIds = [], otherIds = [] }: SubjectNames): readonly string[] {
  return [...stableIds, externalId, ...otherIds];
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
