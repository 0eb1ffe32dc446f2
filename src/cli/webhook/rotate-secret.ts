import { InvalidArgumentError, Option } from 'commander';
import { rotateSecret } from '../../config/dynamic/edit.ts';
import { duration } from '../../lib/units.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { localTime } from '../kit/print.ts';
import { changeDb, dynamicWebhook, report } from './change.ts';
import { onWebhook, refOf } from './find.ts';
import { givenSecret, type SecretFlags, secretOptions } from './secret-input.ts';
import { formLines, viewer } from './view.ts';

interface RotateFlags extends JsonFlags, SecretFlags {
  readonly overlap: number;
}

const DAY_MS = 86_400_000;

export const configureRotateSecret: CliCommand = (command, runner) => {
  secretOptions(command, 'the new secret, instead of a generated one')
    .description('Give a dynamic webhook a new secret; the old one stays valid for a while.')
    .argument('<webhook>', 'id or name')
    .addOption(
      new Option('--overlap <time>', 'how long the old secret stays valid: 24h, 30m, 0')
        .argParser(overlap)
        .default(DAY_MS, '24h'),
    )
    .option('--json', 'print one object')
    .examples('hookctl webhook rotate-secret triage --overlap 24h')
    .action(runner.action(command, rotate));
};

async function rotate(app: Services, ref: string, flags: RotateFlags): Promise<0> {
  const secret = await givenSecret(app, flags);
  const options = { overlapMs: flags.overlap, ...(secret !== null && { secret }) };
  const changed = await changeDb(
    app,
    onWebhook(ref, (id) => rotateSecret(id, options)),
  );
  const webhook = dynamicWebhook(changed, changed.result.webhook.webhook_id);
  const { generatedSecret } = changed.result;
  if (generatedSecret !== null) app.redactor.reveal(generatedSecret);
  const until = changed.result.retiring[0]?.expires_at ?? null;
  const former =
    until === null ? 'the former one no longer verifies' : `the former one until ${localTime(until)}`;
  const fields = formLines(changed, webhook, changed.result.generatedSecret);
  return report(app, flags.json, {
    view: {
      ...viewer(app, changed)(webhook),
      former_secret_expires_at: until,
      ...(changed.result.generatedSecret !== null && { secret: changed.result.generatedSecret }),
    },
    done: `${webhook.name} (${changed.result.webhook.webhook_id}) has a new secret; ${former}\n${fields}`,
    next: `change the secret at the sender, then: hookctl delivery list --webhook ${refOf(webhook)}`,
    served: changed.served,
  });
}

function overlap(text: string): number {
  if (text === '0') return 0;
  const parsed = duration.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It must be a number and s, m, h, d or w, such as 24h, or 0.');
}
