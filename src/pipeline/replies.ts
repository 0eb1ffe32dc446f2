import type { Replies } from '../actions/action.ts';
import type { PipelineContext } from './context.ts';
import type { Occasion } from './occasion.ts';

/**
 * Whether and where an event can be answered. Nothing is posted for a sender who may not command, for a delivery that
 * nobody verified, and for a replay that was not asked to.
 */
export function repliesFor(
  { accounts }: Pick<PipelineContext, 'accounts'>,
  { delivery, provider, event }: Occasion,
  allowed: boolean,
): Replies {
  const off = (reason: string): Replies => ({ state: 'off', reason });
  if (!delivery.replies) return { state: 'silent' };
  if (delivery.trust === 'unverified') return off('the delivery was not verified');
  if (!allowed) return off('the sender may not command');
  if (provider.reply === undefined) return off(`hookctl can't answer on ${provider.label}`);
  const missing = accounts.missing.get(provider.name);
  if (missing !== undefined) return off(missing);
  const place = provider.reply.place(event);
  return place === null
    ? off(`${event.type} has no place for an answer`)
    : { state: 'on', channel: provider.reply, place };
}
