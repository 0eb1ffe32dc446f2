import type { JsonValue } from '../../types.ts';

/** The JSON of an answer; null when it is none: a proxy's page, or one that was cut. */
export function answerJson({ text }: { readonly text: string }): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}
