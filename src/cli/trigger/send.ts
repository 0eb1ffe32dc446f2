import { setTimeout as delay } from 'node:timers/promises';
import { SILENT_HEADER } from '../../deliveries/receive.ts';
import { SAMPLE_HEADER, sampleProof } from '../../deliveries/verify.ts';
import { failure, usageError } from '../../errors.ts';
import { requestLocal } from '../../lib/http/local-request.ts';
import { say } from '../../lib/io.ts';
import type { DispatchView } from '../../server/api/deliveries.ts';
import { DELIVERY_HEADER } from '../../server/ingress/ingress.ts';
import type { Services } from '../../services.ts';
import type { ServerAddress } from '../../store/local/lock.ts';
import type { OutgoingRequest, Task, Webhook } from '../../types.ts';
import { deliveryView, taskView } from '../../views.ts';
import type { JsonFlags } from '../kit/command.ts';
import { served } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';
import { sayUnloaded, webhookOrProvider } from '../kit/webhooks.ts';
import { printSettled, succeeded } from '../replay/settled.ts';
import { knownSample, makeRequest, type RequestWishes, withText } from './request.ts';

export interface TriggerFlags extends JsonFlags, Omit<RequestWishes, 'type'> {
  readonly webhook?: string;
  readonly replies?: boolean;
  readonly list?: boolean;
}

/** How long to wait until the server has processed the delivery. */
const PATIENCE_MS = 30_000;
const POLL_MS = 20;

/** Posts a sample to the running server, and prints what became of it. */
export async function send(
  app: Services,
  name: string | undefined,
  flags: TriggerFlags & RequestWishes,
): Promise<0 | 1> {
  if (name === undefined)
    throw usageError('name a provider', 'List what can be sent: hookctl trigger --list');
  const { project, snapshot } = await app.configuration({ runModules: true });
  const webhook = webhookOrProvider(name, flags.webhook, snapshot);
  // Checked first, so that a mistyped event is reported without a server too.
  if (flags.payload === undefined) knownSample(webhook, flags.type);
  const server = app.holder()?.server ?? null;
  if (server === null) {
    const fix = 'Start it in another terminal: hookctl serve';
    throw failure('not_running', `no server works on ${app.located.dataFolder}`, { fix });
  }
  const url = await requireServed(app, webhook);
  const sample = await makeRequest(webhook, { ...flags, url }, new Date(app.clock.now()));
  const silence = flags.replies === true ? {} : { [SILENT_HEADER.name]: SILENT_HEADER.value };
  const mark = { [SAMPLE_HEADER]: sampleProof(sample.body, server.relayKey) };
  const request = { ...sample, headers: { ...sample.headers, ...silence, ...mark } };
  const settled = await settledDelivery(
    app,
    await post(server, webhook, request),
    project.claudeTasks.enabled,
  );
  if (flags.json === true) printJson(app.io, settled);
  else printSettled(app.io, settled);
  if (flags.text === undefined && flags.payload === undefined && settled.delivery.status === 'ignored') {
    const line = withText(webhook, settled.delivery.event_type ?? '');
    if (line !== null) say(app.io.err, `Text commands fire with --text only: ${line}`);
  }
  return succeeded(settled) ? 0 : 1;
}

/**
 * The URL under which senders reach the webhook; null when the server does not tell. Throws `not_loaded` when the running server lacks
 * the webhook; prints which files it has not loaded.
 */
async function requireServed(app: Services, { name, origin, endpoint }: Webhook): Promise<string | null> {
  const status = await served(app);
  if (status === null) return null;
  sayUnloaded(app, status.not_loaded);
  const found = status.webhooks.find((webhook) => webhook.name === name && webhook.endpoint === endpoint);
  if (found !== undefined) return found.url;
  const place =
    origin.kind === 'static' ? `${origin.file}: written, not loaded` : 'its configuration is older';
  throw failure('not_loaded', `the running server does not have the webhook ${name}: ${place}`, {
    fix: 'Restart `hookctl serve`.',
  });
}

/** Posts to the running server and returns the id under which the request was stored. */
async function post(
  { ingressHost, ingressPort }: ServerAddress,
  { endpoint, provider: { methods = ['POST'] } }: Webhook,
  { headers, body, query = '' }: OutgoingRequest,
): Promise<string> {
  const host = ingressHost === '0.0.0.0' || ingressHost === '::' ? '127.0.0.1' : ingressHost;
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${ingressPort}`;
  const method = methods.includes('POST') ? 'POST' : (methods[0] ?? 'POST');
  const answer = await requestLocal(origin + endpoint + (query === '' ? '' : `?${query}`), {
    method,
    headers,
    body,
  });
  const id = answer.headers[DELIVERY_HEADER];
  if (typeof id === 'string') return id;
  throw failure('refused', `${endpoint} answered ${answer.status} ${answer.text}`, {
    fix:
      answer.status === 401
        ? 'The secret here is not the one that the server has: restart it.'
        : 'See the lines of `hookctl serve`.',
  });
}

/** Waits until the delivery is processed and its task files are written. */
async function settledDelivery(app: Services, id: string, withFiles: boolean): Promise<DispatchView> {
  for (const deadline = app.clock.now() + PATIENCE_MS; ; await delay(POLL_MS)) {
    const delivery = app.reader()?.delivery(id) ?? null;
    const tasks = app.reader()?.tasks({ deliveryId: id }) ?? [];
    const isDone = delivery?.status !== 'pending' && (!withFiles || tasks.every(hasFiles));
    if (delivery !== null && (isDone || app.clock.now() > deadline)) {
      return { delivery: deliveryView(delivery), tasks: tasks.map(taskView) };
    }
  }
}

/** Whether the files are written, or the reason why not is known. */
function hasFiles({ syncToClaudeTasks, unsynced, sourceMetadata }: Task): boolean {
  const written = sourceMetadata.claude_task_id ?? sourceMetadata.claude_list;
  return !syncToClaudeTasks || unsynced !== null || written !== undefined;
}
