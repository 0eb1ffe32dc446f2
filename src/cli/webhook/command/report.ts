import type { CommandChanged } from '../../../config/dynamic/edit.ts';
import { lintCommand } from '../../../config/lint.ts';
import { commandView } from '../../../server/webhook-view.ts';
import type { Services } from '../../../services.ts';
import { type Changed, dynamicWebhook, report } from '../change.ts';
import { refOf } from '../find.ts';

interface CommandReport {
  readonly did: 'added' | 'changed' | 'removed';
  /** The next useful command, given how the webhook is named in it. */
  readonly next: (webhookRef: string) => string;
}

/** What `command add`, `edit` and `remove` say. `--json`: the command as it is now, with its webhook. */
export function reportCommand(
  app: Services,
  json: boolean | undefined,
  changed: Changed<CommandChanged>,
  { did, next }: CommandReport,
): 0 {
  const { webhook_id, name } = changed.result.webhook;
  const { id, trigger } = changed.result.command;
  const webhook = dynamicWebhook(changed, webhook_id);
  const command = webhook.commands.find((it) => it.id === id);
  const view =
    command === undefined ? { removed: changed.result.command } : { command: commandView(command) };
  return report(app, json, {
    view: { webhook_id, webhook: name, ...view },
    done: `${did} ${id} (${trigger ?? changed.result.command.name}) ${did === 'removed' ? 'from' : 'in'} ${name}`,
    next: next(refOf(webhook)),
    served: changed.served,
    warnings: command === undefined ? [] : lintCommand(webhook, command),
  });
}
