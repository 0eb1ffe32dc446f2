import type { CommandView } from '../../../server/webhook-view.ts';
import type { Services } from '../../../services.ts';
import { webhookCall } from '../../kit/operate.ts';
import { pathOf, report, type WebhookAnswer } from '../change.ts';
import { refOf } from '../view.ts';

type WebhookCall = Awaited<ReturnType<typeof webhookCall>>;

/** The webhook whose commands are changed, and where its API has them. */
interface CommandTarget extends WebhookCall {
  readonly webhook: WebhookAnswer;
  readonly path: `/api/webhooks/${string}/commands`;
}

export async function commandTarget(app: Services, ref: string): Promise<CommandTarget> {
  const api = await webhookCall(app);
  const webhook = await api.call<WebhookAnswer>({ method: 'GET', path: pathOf(ref) });
  return { ...api, webhook, path: `${pathOf(webhook.webhook_id ?? webhook.name)}/commands` };
}

interface CommandReport {
  readonly did: 'added' | 'changed' | 'removed';
  /** As it is now, or was; with the likely mistakes in it. */
  readonly command: CommandView & { readonly notes?: readonly string[] };
  /** The next useful command, given how the webhook is named in it. */
  readonly next: (webhookRef: string) => string;
}

/** What `command add`, `edit` and `remove` say. `--json`: the command with its webhook. */
export function reportCommand(
  app: Services,
  json: boolean | undefined,
  { webhook: { webhook_id, name }, isServed }: CommandTarget,
  { did, command: { notes, ...command }, next }: CommandReport,
): 0 {
  const isRemoved = did === 'removed';
  const label = command.trigger ?? command.name;
  return report(app, json, {
    view: { webhook_id, webhook: name, ...(isRemoved ? { removed: command } : { command }) },
    done: `${did} ${command.id} (${label}) ${isRemoved ? 'from' : 'in'} ${name}`,
    next: next(refOf({ name })),
    notes,
    isServed,
  });
}
