import type { z } from 'zod';
import { messageOf, usageError } from '../../errors.ts';

/** A JSON body of the schema; an empty one stands for `{}`. Throws `usage`, which is answered 400. */
export function parseBody<T>(schema: z.ZodType<T>, text: string): T {
  const parsed = schema.safeParse(parseJsonText(text === '' ? '{}' : text));
  if (parsed.success) return parsed.data;
  throw usageError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; '),
  );
}

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageError('the body is not JSON', messageOf(error));
  }
}
