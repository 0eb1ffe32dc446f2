import type { Replies } from '../actions/action.ts';
import type { Account, ReplyChannel, ThreadRef } from '../types.ts';
import type { PipelineContext } from './context.ts';
import type { EventContext } from './event-context.ts';

/**
 * Whether and where an event can be answered. Nothing is posted for a sender who may not command, for a delivery that
 * nobody verified, and for a replay that was not asked to.
 */
export function repliesFor(
  { accounts }: Pick<PipelineContext, 'accounts'>,
  { delivery, provider, event }: EventContext,
  allowed: boolean,
): Replies {
  const off = (reason: string): Replies => ({ state: 'off', reason });
  if (!delivery.replies) return { state: 'silent' };
  if (delivery.trust === 'unverified') return off('the delivery was not verified');
  if (!allowed) return off('the sender may not command');
  if (provider.reply === undefined) return off(`hookctl can't answer on ${provider.label}`);
  const place = provider.reply.place(event);
  const missing = accounts.missing.get(provider.name);
  if (missing !== undefined && !bringsChannel(provider.reply, place, accounts.bare.get(provider.name)))
    return off(missing);
  return place === null
    ? off(`${event.type} has no place for an answer`)
    : { state: 'on', channel: provider.reply, place };
}

/** Whether the request brought what answers it without a token (Slack's `response_url`). */
function bringsChannel(
  { respond }: ReplyChannel,
  place: ThreadRef | null,
  bare: Account | undefined,
): boolean {
  if (respond === undefined || place === null || bare === undefined) return false;
  return respond.call(bare, place, { id: '', text: '' }, false) !== null;
}
