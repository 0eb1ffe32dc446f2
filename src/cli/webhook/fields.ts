import { adjustmentSchema } from '../../config/schema.ts';
import type { Services } from '../../services.ts';
import type { Command } from '../kit/command.ts';
import { renamed } from '../kit/options.ts';
import { fieldOptions, type GivenFlags, givenBy } from './field-flags.ts';
import { givenSecret, type SecretFlags, secretOptions } from './secret-input.ts';

/** The settings of a webhook, as `add` and `edit` take them. */
export interface WebhookFlags extends SecretFlags {
  readonly name?: string;
}

export function webhookOptions(command: Command): Command {
  const named = secretOptions(
    command.option('--name <name>', 'unique over all webhooks, static ones too'),
    'the secret that the sender signs with',
  );
  return fieldOptions(named, adjustmentSchema.shape)
    .addOption(renamed('--options <json>', '--option name=value'))
    .addOption(renamed('--target-agent <name>', '--agent'));
}

/** The fields that were given, and no others, in the words of the db. Throws `usage` when two flags say different things. */
export async function givenFields(app: Services, flags: WebhookFlags): Promise<GivenFlags> {
  const secret = await givenSecret(app, flags);
  return {
    ...(secret !== null && ('value' in secret ? { secret: secret.value } : { secrets: [secret] })),
    ...givenBy({ ...flags }, adjustmentSchema.shape),
  };
}
