import { open } from 'node:fs/promises';
import { Hono } from 'hono';
import { z } from 'zod';
import { findWebhook } from '../../config/dynamic/find.ts';
import type { RunLimits } from '../../config/project/schema.ts';
import { explain } from '../../deliveries/explain.ts';
import { notFound, usageError } from '../../errors.ts';
import { snakeFields } from '../../lib/case.ts';
import { secret } from '../../lib/redact/redact.ts';
import { type RunReader, SPEND_BY } from '../../store/runs.ts';
import { MOST_STEPS, STATS_BY } from '../../store/stats.ts';
import { runView, spendView, statsView } from '../../task-views.ts';
import type { Webhook } from '../../types.ts';
import { needs } from '../access/needs.ts';
import type { ApiEnv, ApiParts } from '../api/route.ts';
import { ownerAsking, ownerField, parseQuery, readBody } from '../api/route.ts';
import { formFields } from '../webhook-view.ts';
import { explanationView } from './explanation.ts';
import { trafficView } from './traffic.ts';

const time = z.iso.datetime({ offset: true, error: 'expected a time in ISO 8601' }).transform(Date.parse);
const SpendQuery = z.strictObject({ by: z.enum(SPEND_BY).default('agent'), since: time, ...ownerField });
const StatsQuery = z.strictObject({
  by: z.enum(STATS_BY).default('webhook'),
  since: time,
  until: time.optional(),
  webhook: z.string().min(1).optional(),
  ...ownerField,
  /** Seconds. */
  step: z.coerce.number().int().min(1).optional(),
});
const TrafficQuery = z.strictObject({ since: time, until: time.optional(), ...ownerField });
const OwnerQuery = z.strictObject(ownerField);
const CompareQuery = z.strictObject({ since: time });
const LogQuery = z.strictObject({ after: z.coerce.number().int().min(0).default(0) });
const Explain = z.strictObject({
  /** The event type, where no headers are given. */
  event: z.string().min(1).max(200).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  query: z.string().default(''),
  body: z.string(),
});

/** What its routes validate with. */
export const schemas = { OwnerQuery, SpendQuery, StatsQuery, TrafficQuery, CompareQuery, LogQuery, Explain };

const DAY_MS = 86_400_000;
const BUDGETS = [
  { limit: 'perDay', name: 'day', spanMs: DAY_MS },
  { limit: 'perWeek', name: 'week', spanMs: 7 * DAY_MS },
] as const;

type Spending = NonNullable<Parameters<RunReader['spent']>[1]>;

interface ReadParts extends Pick<ApiParts, 'context'> {
  /** Budgets of webhooks.yml. */
  readonly limits: RunLimits;
  /** Where senders reach an endpoint. */
  readonly urlOf: (endpoint: string) => string;
}

/**
 * What a person looks at: `GET /runs` (those that go on, wait or are held), `GET /runs/:id`, `GET /runs/:id/log`, `GET /spend`, `GET /stats`,
 * `GET /budgets`, `GET /traffic`, `GET /webhooks/:id/form`, `GET /webhooks/:id/compare`, and `POST /webhooks/:id/explain`, which says what a request would do; nothing of it is stored.
 */
export function readRoutes({ context: pipeline, limits, urlOf }: ReadParts): Hono<ApiEnv> {
  const { store, clock, owners } = pipeline;
  const runNamed = (id: string) => {
    const run = store.run(id);
    if (run !== null) return run;
    throw notFound(`there is no run ${id}`);
  };
  const named = (ref: string) => findWebhook(pipeline.snapshot().webhooks, ref);
  const budget = (name: string, spanMs: number, limit: RunLimits['perWeek'], of: Spending = {}) =>
    limit === undefined
      ? []
      : [
          {
            ...{ name, since: new Date(clock.now() - spanMs).toISOString() },
            owner: of.owner ?? null,
            ...snakeFields(store.spent(clock.now() - spanMs, of)),
            ...{ limit_runs: limit.runs ?? null, limit_usd: limit.usd ?? null },
          },
        ];
  return new Hono<ApiEnv>()
    .get('/runs', needs('read'), (context) => {
      const { owner } = parseQuery(OwnerQuery, context);
      return context.json({ items: store.openRuns(owner).map(runView), next_cursor: null });
    })
    .get('/runs/:id', needs('read', 'run'), (context) =>
      context.json(runView(runNamed(context.req.param('id')))),
    )
    .get('/runs/:id/log', needs('read', 'run'), async (context) => {
      const run = runNamed(context.req.param('id'));
      const { after } = parseQuery(LogQuery, context);
      const part =
        run.logPath === null
          ? { lines: [], next: after }
          : await logPart(run.logPath, after, run.endedAt === null);
      return context.json({ ...part, ended: run.endedAt !== null });
    })
    .get('/spend', needs('read'), (context) => {
      const { by, since, owner } = parseQuery(SpendQuery, context);
      return context.json(spendView(store.spend(by, since, owner), by, since));
    })
    .get('/stats', needs('read'), (context) => {
      const query = parseQuery(StatsQuery, context);
      const { by, since, until = clock.now(), webhook, owner, step } = query;
      const stepMs = step === undefined ? undefined : step * 1_000;
      if (until <= since) throw usageError('until is not after since');
      if (stepMs !== undefined && (until - since) / stepMs > MOST_STEPS)
        throw usageError(`step makes more than ${MOST_STEPS} rows of a group`, 'Take a longer step.');
      const filter = { by, since, until, webhook, owner, stepMs };
      return context.json(statsView(store.stats(filter), filter));
    })
    .get('/budgets', needs('read'), (context) => {
      const { owner: wanted } = parseQuery(OwnerQuery, context);
      const items = BUDGETS.flatMap(({ limit, name, spanMs }) => {
        const own = Object.entries(owners).filter(([, limits]) => limits[limit] !== undefined);
        const exceptOwners = own.map(([owner]) => owner);
        return [
          ...budget(name, spanMs, limits[limit], own.length === 0 ? {} : { exceptOwners }),
          ...own.flatMap(([owner, of]) => budget(name, spanMs, of[limit], { owner })),
        ];
      }).filter(({ owner }) => wanted === undefined || owner === wanted);
      return context.json({ items, next_cursor: null });
    })
    .get('/traffic', needs('read'), (context) => {
      const { since, until = clock.now(), owner } = parseQuery(TrafficQuery, context);
      if (until <= since) throw usageError('until is not after since');
      return context.json(trafficView(store, { since, until, owner }));
    })
    .get('/webhooks/:id/form', needs('read', 'webhook'), (context) => {
      const webhook = named(context.req.param('id'));
      return context.json({ items: formFields(webhook, urlOf(webhook.endpoint)), next_cursor: null });
    })
    .get('/webhooks/:id/compare', needs('read', 'webhook'), async (context) => {
      const { since } = parseQuery(CompareQuery, context);
      const webhook = named(context.req.param('id'));
      const { compareVariants } = await import('../../deliveries/variants/compare.ts');
      const { comparisonView } = await import('./comparison.ts');
      return context.json(
        comparisonView(webhook.name, since, compareVariants(store, webhook, since, ownerAsking(context))),
      );
    })
    .post('/webhooks/:id/explain', needs('read', 'webhook'), async (context) => {
      const { event, headers, query, body } = await readBody(Explain, context);
      const webhook = named(context.req.param('id'));
      const request = { ...requestOf(webhook, { event, headers, body: Buffer.from(body) }), query };
      context.set('change', null);
      return context.json(explanationView(await explain(webhook, request, 'operator', { owners })));
    });
}

/** A request as the sender would make it, signed with a key that counts nowhere: nothing verifies it. */
function requestOf(
  { provider }: Webhook,
  given: {
    readonly event: string | undefined;
    readonly headers: Readonly<Record<string, string>> | undefined;
    readonly body: Uint8Array;
  },
) {
  const { event, headers, body } = given;
  if (headers !== undefined && event === undefined) return { headers, body };
  const signed = provider.sign(body, {
    type: event ?? 'unknown',
    secret: secret(provider.newSecret?.() ?? crypto.randomUUID()),
    deliveryId: crypto.randomUUID(),
    now: new Date(),
  });
  return { ...signed, headers: { ...signed.headers, ...headers } };
}

/** Bytes of a log in one answer. */
const LOG_PART = 256 * 1024;

/** The whole lines of a log behind a position in bytes, and the position behind them. A run that goes on may have written none yet. */
async function logPart(path: string, after: number, isOpen: boolean) {
  const file = await open(path).catch(() => null);
  if (file === null && isOpen) return { lines: [], next: after };
  if (file === null) throw notFound(`the log ${path} is no longer there`);
  try {
    const bytes = Buffer.alloc(LOG_PART);
    const { bytesRead } = await file.read(bytes, 0, LOG_PART, after);
    const end = bytes.lastIndexOf(10, bytesRead - 1);
    // A line longer than one part is skipped, in as many parts as it takes.
    if (end < 0 || bytesRead === 0)
      return { lines: [], next: bytesRead === LOG_PART ? after + LOG_PART : after };
    const lines = bytes.subarray(0, end).toString('utf8').split('\n').flatMap(parsedLine);
    return { lines, next: after + end + 1 };
  } finally {
    await file.close();
  }
}

function parsedLine(line: string): readonly unknown[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
