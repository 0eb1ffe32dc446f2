import type { WebhookCounts } from '../../store/store.ts';
import type { Webhook, WebhookCommand } from '../../types.ts';
import { iso } from '../../views.ts';

/** A webhook as `--json` gives it: never its secrets. */
export function webhookView(webhook: Webhook, counts: WebhookCounts | null) {
  const { origin } = webhook;
  return {
    name: webhook.name,
    provider: webhook.provider,
    endpoint: webhook.endpoint,
    origin: origin.kind,
    file: origin.kind === 'static' ? origin.file : null,
    line: origin.kind === 'static' ? origin.line : null,
    enabled: webhook.enabled,
    has_secret: webhook.secrets.length > 0,
    secret_source: webhook.secretSource,
    command_prefix: webhook.commandPrefix,
    require_prefix: webhook.requirePrefix,
    default_command: webhook.defaultCommand,
    target_agent: webhook.targetAgent,
    events: webhook.events,
    allow: webhook.allow,
    commands: webhook.commands.map(commandView),
    total: counts?.total ?? 0,
    last_delivery_id: counts?.lastDeliveryId ?? null,
    last_received_at: counts?.lastReceivedAt == null ? null : iso(counts.lastReceivedAt),
  };
}

function commandView(command: WebhookCommand) {
  const shared = {
    id: command.id,
    action: command.action,
    agent: command.targetAgent,
    template: command.template.source,
    requires_approval: command.requiresApproval,
    options: command.options,
  };
  return command.kind === 'text'
    ? { ...shared, name: command.name, aliases: command.aliases }
    : {
        ...shared,
        trigger: command.trigger,
        conditions: command.conditions.source,
        priority: command.priority,
      };
}
