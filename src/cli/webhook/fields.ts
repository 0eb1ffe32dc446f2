import type { Command } from 'commander';
import type { WebhookInput } from '../../config/dynamic/schema.ts';
import type { Services } from '../../services.ts';
import type { JsonObject } from '../../types.ts';
import { collect, renamed } from '../kit/options.ts';
import { givenSecret, type SecretFlags, secretOptions } from './secret-input.ts';
import { setting } from './setting.ts';

/** The settings of a webhook, as `add` and `edit` take them. */
export interface WebhookFlags extends SecretFlags {
  readonly name?: string;
  readonly prefix?: string;
  readonly requirePrefix?: boolean;
  readonly agent?: string;
  readonly defaultCommand?: string;
  readonly allowAssociation: readonly string[];
  readonly allowUser: readonly string[];
  readonly allowApp: readonly string[];
  readonly event: readonly string[];
  readonly sync?: boolean;
  readonly option: readonly string[];
}

export function webhookOptions(command: Command): Command {
  return secretOptions(
    command.option('--name <name>', 'unique over all webhooks, static ones too'),
    'the secret that the sender signs with',
  )
    .option('--prefix <word>', 'the word that text commands stand behind, default @agent')
    .option('--require-prefix', 'text commands need the prefix (the default)')
    .option('--no-require-prefix', 'the default command runs on its events without a prefix')
    .option('--agent <name>', 'who works on the tasks, default brain')
    .option('--default-command <name>', 'text command that runs when no other is named')
    .option('--allow-association <name>', 'who may command, e.g. OWNER (repeatable)', collect, [])
    .option('--allow-user <id>', 'id of a person who may command (repeatable)', collect, [])
    .option('--allow-app <id>', 'id of an app whose bot may command (repeatable)', collect, [])
    .option('--event <type>', 'event type whose edits may command (repeatable)', collect, [])
    .option('--sync', 'its tasks appear in Claude Code (the default)')
    .option('--no-sync', 'its tasks stay out of Claude Code')
    .option(
      '--option <name=value>',
      'a setting of the provider (repeatable): header=x-signature',
      collect,
      [],
    )
    .addOption(renamed('--options <json>', '--option name=value'))
    .addOption(renamed('--target-agent <name>', '--agent'));
}

/** What of a webhook the flags name, in the words of the db; `name` and `provider` stand beside. */
type GivenFields = Partial<Omit<WebhookInput, 'provider' | 'name' | 'commands' | 'enabled'>>;

/** The fields that were given, and no others. Throws `usage` when two flags say different things. */
export async function givenFields(app: Services, flags: WebhookFlags): Promise<GivenFields> {
  const { prefix, requirePrefix, agent, defaultCommand, event, sync } = flags;
  const allow = givenAllow(flags);
  const settings = givenSettings(flags);
  const secret = await givenSecret(app, flags);
  return {
    ...(secret !== null && ('value' in secret ? { secret: secret.value } : { secrets: [secret] })),
    ...(prefix !== undefined && { command_prefix: prefix }),
    ...(requirePrefix !== undefined && { require_prefix: requirePrefix }),
    ...(agent !== undefined && { target_agent: agent }),
    ...(defaultCommand !== undefined && { default_command: defaultCommand }),
    ...(event.length > 0 && { events: event }),
    ...(Object.keys(allow).length > 0 && { allow }),
    ...(sync !== undefined && { sync_to_claude_tasks: sync }),
    ...(settings !== null && { options: settings }),
  };
}

/** Settings that `--option` names one by one; null when it is not given. */
function givenSettings({ option }: WebhookFlags): JsonObject | null {
  return option.length === 0 ? null : Object.fromEntries(option.map(setting));
}

function givenAllow({
  allowAssociation,
  allowUser,
  allowApp,
}: WebhookFlags): NonNullable<GivenFields['allow']> {
  return {
    ...(allowAssociation.length > 0 && { associations: allowAssociation }),
    ...(allowUser.length > 0 && { users: allowUser }),
    ...(allowApp.length > 0 && { apps: allowApp }),
  };
}
