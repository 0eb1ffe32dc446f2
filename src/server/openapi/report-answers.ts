import { z } from 'zod';
import { count, maybe, text, time, words } from './answers.ts';

/** Answers about what was done and what it cost. */

const spend = {
  name: maybe(text),
  runs: count,
  known_runs: count,
  cost_usd: z.number(),
  reserved_usd: z.number(),
  input_tokens: count,
  output_tokens: count,
};
export const spending = z.looseObject({
  since: time,
  by: text,
  rows: z.array(z.looseObject(spend)),
  total: z.looseObject(spend),
});
export const budget = z.looseObject({
  name: text,
  owner: maybe(text).describe('Null for the budget of all owners without a budget of their own.'),
  since: time,
  runs: count,
  limit_runs: maybe(count),
  limit_usd: maybe(z.number()),
});
const numbers = z.array(z.number());
const numbersOrNone = z.array(maybe(z.number()));
export const traffic = z.looseObject({
  since: time,
  step_ms: count,
  steps: count,
  received: z.record(text, numbers),
  ack_ms: z.looseObject({ median: numbersOrNone, p95: numbersOrNone }),
  settle_ms: z.looseObject({ median: numbersOrNone, p95: numbersOrNone }),
  waiting: numbers,
  costs: z.array(z.looseObject({ day: text, agent: text, runs: count, usd: z.number() })),
});
export const explanation = z.looseObject({
  owner: maybe(text),
  obstacle: maybe(text),
  events: z.array(
    z.looseObject({
      type: text,
      external_id: maybe(text),
      ignored: maybe(text),
      variant: maybe(text),
      in_shadow: z.boolean(),
      commands: z.array(
        z.looseObject({ command: text, fires: z.boolean(), needs_approval: z.boolean(), reason: text }),
      ),
    }),
  ),
});
export const stats = z.looseObject({
  by: text,
  since: time,
  rows: z.array(
    z.looseObject({ name: maybe(text), at: time, tasks: count, completed: count, failed: count }),
  ),
});
export const comparison = z.looseObject({
  webhook: text,
  since: time,
  variants: z.array(
    z.looseObject({
      name: text,
      deliveries: count,
      fired: count,
      tasks: count,
      completed: count,
      failed: count,
    }),
  ),
  statements: words,
  shadows: z.array(z.looseObject({ name: maybe(text), deliveries: count, differing: count })),
  differences: z.array(z.looseObject({ delivery_id: text, command: text, before: text, after: text })),
});
export const runLog = z.looseObject({
  lines: z.array(z.looseObject({ at: time, kind: text, text })),
  next: count,
  ended: z.boolean(),
});
