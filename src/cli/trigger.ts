import { randomInt, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { App, AppFlags } from '../app.ts';
import { failure, notFound, usageError } from '../errors.ts';
import { say } from '../lib/io.ts';
import { providerNamed, providers } from '../providers/index.ts';
import type { OutgoingRequest, Provider } from '../providers/provider.ts';
import type { ServerAddress } from '../store/lock.ts';
import type { JsonObject, Webhook } from '../types.ts';
import { deliveryView, taskView } from '../views.ts';
import { type CliCommand, examples } from './command.ts';
import { collect } from './options.ts';
import { printJson } from './print.ts';
import { setPath } from './set-path.ts';
import { printSettled, succeeded } from './settled.ts';

interface TriggerFlags extends AppFlags {
  readonly text?: string;
  readonly set: readonly string[];
  readonly payload?: string;
  readonly webhook?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

/** How long to wait until the server has worked off what it accepted. */
const PATIENCE_MS = 30_000;
const POLL_MS = 20;

export const trigger: CliCommand = {
  configure(command, runner) {
    command
      .argument('[provider]', `${providers.map(({ name }) => name).join(', ')}`)
      .argument('[event]', 'event type, e.g. issue_comment.created; the first sample if left out')
      .option('--text <text>', 'what the person writes')
      .option(
        '--set <path=value>',
        'change a field of the payload (repeatable); JSON values are taken as JSON',
        collect,
        [],
      )
      .option('--payload <file>', 'a JSON file instead of the built-in sample')
      .option('--webhook <name>', 'webhook to post to, if not the provider’s own')
      .option('--list', 'list the built-in samples')
      .option('--json', 'print { delivery, tasks } as JSON')
      .addHelpText(
        'after',
        examples(
          'hookctl trigger github issue_comment.created --text "@agent analyze why login fails"',
          'hookctl trigger github issues.opened --set issue.title="Crash on start"',
        ),
      )
      .action((provider: string | undefined, event: string | undefined, flags: TriggerFlags) =>
        runner.run(command.optsWithGlobals(), (app) =>
          flags.list ? list(app, provider) : run(app, provider, event, flags),
        ),
      );
  },
};

async function list({ io }: App, name: string | undefined): Promise<0> {
  for (const provider of name === undefined ? providers : [named(name)]) {
    for (const { type } of provider.samples) say(io.out, `${provider.name} ${type}`);
  }
  return 0;
}

async function run(
  app: App,
  name: string | undefined,
  type: string | undefined,
  flags: TriggerFlags,
): Promise<0 | 1> {
  if (name === undefined)
    throw usageError('name a provider', 'List what can be sent: hookctl trigger --list');
  const provider = named(name);
  const server = app.holder()?.server;
  if (server === undefined || server === null) {
    throw failure('not_running', `no server works on ${app.located.dataFolder}`, {
      fix: 'Start it in another terminal: hookctl serve',
    });
  }
  const webhook = await chooseWebhook(app, provider, flags.webhook);
  const request = await signed(app, provider, webhook, type, flags);
  const id = await post(server, webhook, request);
  const settled = await settledDelivery(app, id);
  if (flags.json === true) printJson(app.io, settled);
  else printSettled(app.io, settled);
  return succeeded(settled) ? 0 : 1;
}

function named(name: string): Provider {
  const provider = providerNamed(name);
  if (provider !== null) return provider;
  throw usageError(
    `there is no provider ${name}`,
    `Known: ${providers.map((each) => each.name).join(', ')}.`,
  );
}

async function chooseWebhook(app: App, provider: Provider, name: string | undefined): Promise<Webhook> {
  const { snapshot } = await app.configuration();
  const candidates = snapshot.webhooks.filter((webhook) => webhook.provider === provider.name);
  const chosen =
    candidates.find((webhook) => webhook.name === (name ?? provider.name)) ??
    (name === undefined ? candidates[0] : undefined);
  if (chosen !== undefined) return chosen;
  const known = candidates.map((webhook) => webhook.name).join(', ') || 'none';
  throw notFound(
    `there is no ${provider.label} webhook ${name ?? ''}`.trim(),
    `${provider.label} webhooks: ${known}.`,
  );
}

async function signed(
  app: App,
  provider: Provider,
  webhook: Webhook,
  type: string | undefined,
  flags: TriggerFlags,
): Promise<OutgoingRequest> {
  const secret = webhook.secrets[0]?.value;
  if (secret === undefined) {
    throw failure('no_secret', `${webhook.name} has no secret to sign with: ${webhook.secretSource}`);
  }
  const sample = provider.samples.find((each) => type === undefined || each.type === type);
  if (sample === undefined && flags.payload === undefined) {
    throw usageError(
      `there is no sample ${type} for ${provider.label}`,
      `List them: hookctl trigger --list ${provider.name}`,
    );
  }
  if (flags.payload !== undefined && (type === undefined || flags.text !== undefined)) {
    throw usageError(
      '--payload needs the event type, and takes no --text',
      'Change a field with --set comment.body="…".',
    );
  }
  const base =
    flags.payload === undefined ? build(sample, app, flags.text) : await readPayload(flags.payload);
  const payload = flags.set.reduce(setPath, base);
  const body = Buffer.from(JSON.stringify(payload));
  return provider.sign(body, {
    type: type ?? sample?.type ?? '',
    secret,
    deliveryId: randomUUID(),
    now: new Date(app.clock.now()),
  });
}

function build(
  sample: Provider['samples'][number] | undefined,
  app: App,
  text: string | undefined,
): JsonObject {
  const context = {
    text: text ?? '@agent analyze',
    now: new Date(app.clock.now()),
    nextNumber: () => randomInt(1, 2 ** 47),
  };
  return sample?.build(context) ?? {};
}

async function readPayload(file: string): Promise<JsonObject> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw usageError(`there is no file ${file}`);
  });
  try {
    return JSON.parse(text) as JsonObject;
  } catch (error) {
    throw usageError(`${file} is not JSON`, error instanceof Error ? error.message : undefined);
  }
}

async function post(
  { ingressHost, ingressPort }: ServerAddress,
  webhook: Webhook,
  { headers, body }: OutgoingRequest,
): Promise<string> {
  const { request } = await import('undici');
  const host = ingressHost === '0.0.0.0' || ingressHost === '::' ? '127.0.0.1' : ingressHost;
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${ingressPort}`;
  const response = await request(origin + webhook.endpoint, { method: 'POST', headers, body });
  const answer = await response.body.text();
  const { id } = (answer.startsWith('{') ? JSON.parse(answer) : {}) as { id?: string };
  if (id !== undefined) return id;
  throw failure('refused', `${webhook.endpoint} answered ${response.statusCode} ${answer}`, {
    fix:
      response.statusCode === 401
        ? 'The secret here is not the one `serve` has: restart it.'
        : 'See the lines of `hookctl serve`.',
  });
}

async function settledDelivery(app: App, id: string) {
  for (const deadline = app.clock.now() + PATIENCE_MS; ; await delay(POLL_MS)) {
    const delivery = app.reader()?.delivery(id) ?? null;
    if (delivery !== null && (delivery.status !== 'pending' || app.clock.now() > deadline)) {
      const tasks = app.reader()?.tasks({ deliveryId: id }) ?? [];
      return { delivery: deliveryView(delivery), tasks: tasks.map(taskView) };
    }
  }
}
