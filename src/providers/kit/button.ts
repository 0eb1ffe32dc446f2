import { BUTTON_ACTIONS, type PressedButton } from '../../types.ts';

/** Begins the names of hookctl's own buttons: `hookctl:approve`. */
export const BUTTON_PREFIX = 'hookctl:';

/** `out-…`, the digest of what is decided, and when the button ends, in epoch milliseconds. */
const VALUE = /^(out-[0-9a-z]{16,24})\.([\w-]{12})\.(\d{1,15})$/;

/** A click on a button of a post, by the button's name and value. Null when it is none of hookctl's. */
export function readButton(
  name: string | null,
  value: string | null,
  remoteId: string | null,
): PressedButton | null {
  const action = BUTTON_ACTIONS.find((each) => `${BUTTON_PREFIX}${each}` === name);
  const [, post, digest, expiresAt] = VALUE.exec(value ?? '') ?? [];
  if (action === undefined || post === undefined || digest === undefined || remoteId === null) return null;
  return { action, on: { post }, digest, expiresAt: Number(expiresAt), remoteId };
}
