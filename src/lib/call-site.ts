import { fileURLToPath } from 'node:url';
import type { CallSite } from '../types/defined-provider.ts';

export type { CallSite } from '../types/defined-provider.ts';

/** Who called the function that calls this; null when the stack does not tell. */
export function callerSite(): CallSite | null {
  return callSite(new Error().stack?.split('\n')[3] ?? '');
}

/** File and line of one line of a stack trace; null when it names no file. */
export function callSite(frame: string): CallSite | null {
  const match = /(file:\/\/.+?|(?<=[\s(])\/.+?):(\d+):\d+\)?$/.exec(frame);
  if (match?.[1] === undefined) return null;
  const file = match[1].startsWith('file:') ? fileURLToPath(match[1]) : match[1];
  return { file, line: Number(match[2]) };
}
