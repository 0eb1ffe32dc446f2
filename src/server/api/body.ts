import type { z } from 'zod';
import { usageError } from '../../errors.ts';
import { parseJson } from '../../lib/json.ts';
import type { JsonObject } from '../../types.ts';

/** What routes need of a request. */
interface Body {
  readonly req: { arrayBuffer(): Promise<ArrayBuffer> };
}

/** The JSON object of a body; an empty one stands for `{}`. Throws `usage`, which is answered 400. */
export async function readJson({ req }: Body): Promise<JsonObject> {
  const bytes = new Uint8Array(await req.arrayBuffer());
  if (bytes.length === 0) return {};
  const parsed = parseJson(bytes);
  if (parsed.ok) return parsed.value;
  throw usageError(`the body: ${parsed.reason}`);
}

/** A body of the schema. Throws `usage` that names the fields. */
export async function readBody<T>(schema: z.ZodType<T>, body: Body): Promise<T> {
  const parsed = schema.safeParse(await readJson(body));
  if (parsed.success) return parsed.data;
  throw usageError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; '),
  );
}
