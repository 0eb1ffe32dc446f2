import type { Issue, Path, Webhook, WebhookCommand } from '../../types.ts';
import type { ValidCommand, ValidDefinition } from '../schema.ts';
import type { DbCommand, DbWebhook, GivenCommand } from './schema.ts';

/*
 * The one place where the words of the db (snake_case) and those of `defineWebhook` (camelCase) meet.
 */

/** A webhook of the db as `defineWebhook` would take it, but for its secrets. */
export function toDefinition(webhook: DbWebhook): ValidDefinition {
  return {
    name: webhook.name,
    provider: webhook.provider,
    endpoint: webhook.endpoint,
    enabled: webhook.enabled,
    commandPrefix: webhook.command_prefix,
    requirePrefix: webhook.require_prefix,
    targetAgent: webhook.target_agent,
    defaultCommand: webhook.default_command,
    events: webhook.events,
    allow: webhook.allow,
    allowUnverifiable: webhook.allow_unverifiable,
    syncToClaudeTasks: webhook.sync_to_claude_tasks,
    options: webhook.options,
    commands: webhook.commands.map(toCommandDefinition),
  };
}

function toCommandDefinition({ id: _, target_agent, requires_approval, ...same }: DbCommand): ValidCommand {
  return { ...same, targetAgent: target_agent, requiresApproval: requires_approval };
}

/** A webhook in force as input for a dynamic one: without name, endpoint and secrets. */
export function fromWebhook(webhook: Webhook) {
  return {
    provider: webhook.providerName,
    allow: webhook.allow,
    command_prefix: webhook.commandPrefix,
    require_prefix: webhook.requirePrefix,
    target_agent: webhook.targetAgent,
    ...(webhook.defaultCommand !== null && { default_command: webhook.defaultCommand }),
    events: webhook.events,
    allow_unverifiable: webhook.allowUnverifiable,
    sync_to_claude_tasks: webhook.syncToClaudeTasks,
    options: webhook.options,
    commands: webhook.commands.map(givenCommand),
  };
}

/** A command as the db and the API write it. */
export function givenCommand(command: WebhookCommand): GivenCommand {
  const shared = {
    action: command.action,
    target_agent: command.targetAgent,
    // Of an action that renders none it is empty, and would be refused.
    ...(command.template.source !== '' && { template: command.template.source }),
    requires_approval: command.requiresApproval,
    ...(command.approval !== null && { approval: command.approval }),
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

const DB_WORDS: Readonly<Record<string, string>> = {
  commandPrefix: 'command_prefix',
  requirePrefix: 'require_prefix',
  targetAgent: 'target_agent',
  defaultCommand: 'default_command',
  allowUnverifiable: 'allow_unverifiable',
  syncToClaudeTasks: 'sync_to_claude_tasks',
  requiresApproval: 'requires_approval',
};

/** A issue that was found in a definition, in the words of the db. */
export function inDbWords({ path, message, fix, ...rest }: Issue): Issue {
  return {
    ...rest,
    path: path.map((part) =>
      typeof part === 'string' && Object.hasOwn(DB_WORDS, part) ? (DB_WORDS[part] ?? part) : part,
    ) satisfies Path,
    message: translate(message),
    ...(fix !== undefined && { fix: translate(fix) }),
  };
}

function translate(sentence: string): string {
  return sentence.replace(/\b(commandPrefix|requirePrefix|defaultCommand)\b/g, (word) => {
    return DB_WORDS[word] ?? word;
  });
}
