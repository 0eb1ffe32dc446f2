import { notFound } from '../../errors.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import {
  type Change,
  type EditContext,
  findWebhook,
  isoTime,
  patched,
  readInput,
  refuseFixedFields,
  withWebhook,
} from './change.ts';
import {
  commandPatchSchema,
  type DbCommand,
  type DbState,
  type DbWebhook,
  newCommandSchema,
} from './schema.ts';

/** A command that was added, changed or removed, and its webhook as it is now. */
export interface CommandChanged {
  readonly webhook: DbWebhook;
  readonly command: DbCommand;
}

/** Adds a command (a `CommandInput`) behind the others. Throws `not_found`, `static_webhook`, ConfigError. */
export function addCommand(webhookRef: string, input: unknown): Change<CommandChanged> {
  return (state, context) => {
    const webhook = findWebhook(state, webhookRef, context.fixed);
    const given = readInput(newCommandSchema, input, 'webhook command add');
    const command = { id: context.nextId('cmd'), ...given };
    return changed(state, webhook, { command, commands: [...webhook.commands, command] }, context);
  };
}

/**
 * Changes the fields that `patch` (a `CommandPatch`) names; absent ones stay, null takes one away. The command is
 * named by id, or by its name or trigger where only one has it.
 */
export function updateCommand(
  webhookRef: string,
  commandRef: string,
  patch: unknown,
): Change<CommandChanged> {
  return (state, context) => {
    const webhook = findWebhook(state, webhookRef, context.fixed);
    const former = findCommand(webhook, commandRef);
    refuseFixedFields(patch);
    const command = patched(former, readInput(commandPatchSchema, patch, 'webhook command edit'));
    const commands = webhook.commands.map((it) => (it === former ? command : it));
    return changed(state, webhook, { command, commands }, context);
  };
}

/** Takes a command away. */
export function removeCommand(webhookRef: string, commandRef: string): Change<CommandChanged> {
  return (state, context) => {
    const webhook = findWebhook(state, webhookRef, context.fixed);
    const command = findCommand(webhook, commandRef);
    const commands = webhook.commands.filter((it) => it !== command);
    return changed(state, webhook, { command, commands }, context);
  };
}

/** The command of an id, or of a name or trigger that only one has. Throws `not_found`. */
function findCommand({ name, commands }: DbWebhook, ref: string): DbCommand {
  const byId = commands.find(({ id }) => id === ref);
  const alike = commands.filter(
    (command) => command.name?.toLowerCase() === ref.toLowerCase() || command.trigger === ref,
  );
  const found = byId ?? (alike.length === 1 ? alike[0] : undefined);
  if (found !== undefined) return found;
  if (alike.length === 0) {
    throw notFound(
      `${name} has no command ${ref}`,
      `List them: ${commandLine('hookctl', 'webhook', 'command', 'list', name)}`,
    );
  }
  const ids = alike.map(({ id }) => id).join(', ');
  throw notFound(`${alike.length} commands of ${name} are called ${ref}`, `Name one by its id: ${ids}.`);
}

interface NewCommands {
  readonly command: DbCommand;
  readonly commands: readonly DbCommand[];
}

function changed(
  state: DbState,
  former: DbWebhook,
  { command, commands }: NewCommands,
  { now, fixed }: EditContext,
) {
  const webhook: DbWebhook = { ...former, commands, updated_at: isoTime(now) };
  return { state: withWebhook(state, webhook, fixed), result: { webhook, command } };
}
