import type { JsonObject } from '../../../src/types.ts';

/**
 * A situation in which a text must not command, or must. The sender is always listed in `allow.users`, so that nothing but
 * authorship, the kind of the account, and what the act did to the text can refuse it.
 */
export interface TextCase {
  /** Row of the list of faults where one names it, then the situation. */
  readonly name: string;
  /** The sample that it is made of. */
  readonly sample: string;
  /** The event that its headers name. Default: that of the sample. */
  readonly type?: string;
  /** Merged into the sample. */
  readonly change: JsonObject;
  /** What the reason must contain; null: the text commands. */
  readonly refused: string | null;
  /** Ids in `allow.apps`. Default: none. */
  readonly apps?: readonly string[];
}

export const WROTE = 'wrote the text, and';
export const UNNAMED = 'does not name who wrote the text';
export const MOVED = 'moved the text here';
export const BOT = 'bots command only by a listed app id';
export const APP = 'which `allow.apps` does not list';
export const NO_TEXT = 'brings no text';
export const EDIT = 'the text is an edit';
