import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { mergeWebhook } from '../../config/dynamic/edit.ts';
import { findWebhook } from '../../config/dynamic/find.ts';
import { readYaml } from '../../config/yaml.ts';
import {
  type Difference,
  differencesBetween,
  explain,
  type Judgement,
  judgementOf,
  recordedJudgement,
} from '../../deliveries/explain.ts';
import { storedSource } from '../../deliveries/replay.ts';
import { ConfigError, messageOf, usageError } from '../../errors.ts';
import { commandsOut, say } from '../../lib/io.ts';
import { isJsonObject } from '../../lib/json.ts';
import { differenceView } from '../../server/dashboard/comparison.ts';
import type { Services } from '../../services.ts';
import type { StoreReader } from '../../store/store.ts';
import type { Delivery, JsonObject, Webhook } from '../../types.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { moment } from '../kit/moment.ts';
import { counted, countedNoun, printJson } from '../kit/print.ts';
import { storedReader } from '../kit/stored.ts';
import { sayUnloaded } from '../kit/webhooks.ts';
import { createProgress } from '../replay/progress.ts';
import { pagesOf } from '../replay/selection.ts';
import { printDifferences } from './differences.ts';

interface TryFlags extends JsonFlags {
  readonly since: string;
  readonly with?: string;
}

export const configureTry: CliCommand = (command, runner) => {
  command
    .description(
      'Run a changed configuration over stored deliveries, and show what would differ. Nothing runs.',
    )
    .argument('<webhook>', 'id or name')
    .option('--since <time>', 'from when on: an age (2h, 7d) or a date', '7d')
    .option(
      '--with <file>',
      'the change: of a dynamic webhook its fields or an export (JSON, YAML), else another webhooks.yml; without it the present configuration is compared with what was decided then',
    )
    .option('--json', 'print one object')
    .examples(
      'hookctl webhook try github --since 7d',
      'hookctl webhook try github --with webhooks.new.yml',
      'hookctl webhook try triage --with change.json --json',
    )
    .action(runner.action(command, tryWebhook));
};

/** Statuses of deliveries that a configuration decided about. */
const DECIDED = ['processed', 'ignored', 'failed', 'pending'] as const;
const PAGE = 500;

interface Tried extends Difference {
  readonly delivery: Pick<Delivery, 'id' | 'externalId'>;
}

interface Trial {
  readonly compared: number;
  /** Deliveries whose bytes are not kept any more. */
  readonly withoutBytes: number;
  readonly differences: readonly Tried[];
}

async function tryWebhook(app: Services, ref: string, flags: TryFlags): Promise<0> {
  const since = moment('--since', flags.since, app.clock.now());
  const { snapshot, unloaded } = await app.configuration();
  sayUnloaded(app, unloaded);
  const present = findWebhook(snapshot.webhooks, ref);
  const candidate = flags.with === undefined ? present : await changedWebhook(app, present, flags.with);
  const reader = storedReader(app, `delivery to ${present.name}`);
  const before = flags.with === undefined ? null : present;
  const trial = await run(app, reader, { since, present, before, after: candidate });
  if (flags.json === true) printJson(app.io, viewOf(present, since, trial));
  else await print(app, present, trial);
  return 0;
}

/** The webhook as the file has it. Throws ConfigError when that does not validate. */
async function changedWebhook(app: Services, present: Webhook, file: string): Promise<Webhook> {
  const text = await readFile(resolve(app.cwd, file), 'utf8').catch((error: unknown) => {
    throw usageError(`can't read ${file}: ${messageOf(error)}`);
  });
  if (present.origin.kind !== 'dynamic') {
    const { snapshot } = await app.configuration({ file });
    return findWebhook(snapshot.webhooks, present.name);
  }
  const { value, problems } = await readYaml(file, text);
  if (problems.length > 0) throw new ConfigError(problems);
  const { webhookId } = present.origin;
  const draft = await (await app.dynamic()).draft(mergeWebhook(webhookId, fieldsOf(value, webhookId, file)));
  return { ...present, ...draft };
}

/** Fields that an export has and a change may not name. */
const IDENTITY = ['webhook_id', 'provider', 'endpoint', 'secrets', 'created_at', 'updated_at'];

/** The fields that a file sets: alone, or as the webhook of that id in an export. */
function fieldsOf(value: unknown, webhookId: string, file: string): JsonObject {
  const list = isJsonObject(value) && 'webhooks' in value ? value.webhooks : value;
  const found = Array.isArray(list)
    ? list.find((each) => isJsonObject(each) && each.webhook_id === webhookId)
    : list;
  if (!isJsonObject(found)) throw usageError(`${file} has no webhook ${webhookId}`);
  return Object.fromEntries(Object.entries(found).filter(([name]) => !IDENTITY.includes(name)));
}

interface Plan {
  readonly since: number;
  readonly present: Webhook;
  /** Null when what was recorded is compared. */
  readonly before: Webhook | null;
  readonly after: Webhook;
}

async function run(
  app: Services,
  reader: StoreReader,
  { since, present, before, after }: Plan,
): Promise<Trial> {
  const { io, clock, located } = app;
  const selection = { statuses: DECIDED, webhook: present.name, since, until: clock.now() };
  const { owners } = (await app.configuration()).project;
  const total = reader.countSelected(selection);
  const progress = createProgress(io.err, clock.now);
  const differences: Tried[] = [];
  let compared = 0;
  let withoutBytes = 0;
  for (const page of pagesOf(reader, selection, PAGE)) {
    for (const { id } of page) {
      const delivery = reader.delivery(id);
      if (delivery === null) continue;
      if (delivery.bodyRemovedAt !== null) {
        withoutBytes += 1;
        continue;
      }
      const { request, trust, owner } = storedSource(reader, id, located.dataFolder);
      const judge = async (webhook: Webhook) =>
        judgementOf(await explain(webhook, request, trust, { owners, owner }));
      // What waits was not decided yet.
      if (before === null && delivery.status === 'pending') continue;
      const former: Judgement = before === null ? recordedJudgement(delivery.decisions) : await judge(before);
      const found = differencesBetween(former, await judge(after));
      differences.push(...found.map((each) => ({ ...each, delivery })));
      compared += 1;
      progress.show(() => `${counted(compared)} of ${counted(total)} deliveries`);
    }
  }
  progress.clear();
  return { compared, withoutBytes, differences };
}

async function print(app: Services, { name }: Webhook, trial: Trial): Promise<void> {
  const { compared, withoutBytes, differences } = trial;
  const out = commandsOut(app.io);
  await printDifferences(app.io, differences, ['before', 'after']);
  const differing = new Set(differences.map(({ delivery }) => delivery.id)).size;
  const kept = withoutBytes === 0 ? '' : `; of ${counted(withoutBytes)} no bytes are kept`;
  say(
    out,
    `${countedNoun(compared, 'delivery', 'deliveries')} of ${name}: ${counted(differing)} would differ${kept}`,
  );
}

function viewOf({ name }: Webhook, since: number, { compared, withoutBytes, differences }: Trial) {
  return {
    webhook: name,
    since: new Date(since).toISOString(),
    compared,
    without_bytes: withoutBytes,
    differing: new Set(differences.map(({ delivery }) => delivery.id)).size,
    differences: differences.map((each) => differenceView(each, each.delivery)),
  };
}
