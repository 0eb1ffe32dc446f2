import type { z } from 'zod';
import { issuesOf } from '../../lib/diagnostics.ts';
import type { Configured, JsonObject, Provider } from '../../types.ts';
import { unknownSetting } from './options.ts';

/** A provider whose webhooks may set these options, and no others. */
export function withOptions(provider: Omit<Provider, 'configure'>, schema: z.ZodObject): Provider {
  const shaped: Provider = {
    ...provider,
    configure(options: JsonObject): Configured {
      const result = schema.safeParse(options);
      if (result.success) return { ok: true, provider: shaped };
      const known = Object.keys(schema.shape);
      const issues = issuesOf(schema, result.error).map((issue) => unknownSetting(issue, known));
      return { ok: false, issues };
    },
  };
  return shaped;
}
