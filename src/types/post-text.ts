import type { PostText } from './reply.ts';

/** Noncharacters, which Unicode keeps for use inside a program: where own words begin and end. */
const OPEN = '\uFDD0';
const CLOSE = '\uFDD1';
const MARKS = /[\uFDD0\uFDD1]/g;

/** Words of hookctl itself or of its configuration. */
export function ownText(text: string): PostText {
  return `${OPEN}${foreignText(text)}${CLOSE}` as PostText;
}

/** Words of a payload, a sender or an agent. */
export function foreignText(text: string): PostText {
  return text.replace(MARKS, '') as PostText;
}

/** A notice: what is written is hookctl's own, what is put in is not. */
export function notice(own: TemplateStringsArray, ...foreign: readonly string[]): PostText {
  const parts = own.map((text, index) => ownText(text) + foreignText(foreign[index] ?? ''));
  return parts.join('') as PostText;
}

/** A rendering in which `printed` was put around each text from outside, as own words but for those. */
export function renderedText(render: (printed: (text: string) => string) => string): PostText {
  return `${OPEN}${render((text) => CLOSE + foreignText(text) + OPEN)}${CLOSE}` as PostText;
}

export function joinTexts(...texts: readonly PostText[]): PostText {
  return texts.join('') as PostText;
}

/** What people read. */
export function shownText(text: string): string {
  return text.replace(MARKS, '');
}

/** The text, and for each of its characters whether it is an own one. */
export function readPostText(marked: string): { readonly text: string; readonly isOwn: Uint8Array } {
  const text = shownText(marked);
  const isOwn = new Uint8Array(text.length);
  let own = 0;
  let at = 0;
  for (const piece of marked.split(/([\uFDD0\uFDD1])/)) {
    if (piece === OPEN) own = 1;
    else if (piece === CLOSE) own = 0;
    else {
      isOwn.fill(own, at, at + piece.length);
      at += piece.length;
    }
  }
  return { text, isOwn };
}
