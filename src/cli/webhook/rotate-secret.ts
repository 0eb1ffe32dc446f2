import { InvalidArgumentError, Option } from 'commander';
import { isRemote } from '../../config/project/locate.ts';
import { duration } from '../../lib/units.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { webhookCall } from '../kit/operate.ts';
import { localTime } from '../kit/print.ts';
import { changedForm, pathOf, report, type WebhookAnswer } from './change.ts';
import { givenSecret, type SecretFlags, secretOptions } from './secret-input.ts';
import { refOf } from './view.ts';

interface RotateFlags extends JsonFlags, SecretFlags {
  readonly overlap: number;
}

interface RotatedAnswer extends WebhookAnswer {
  readonly former_secret_expires_at: string | null;
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
  const { call, isServed } = await webhookCall(app);
  const view = await call<RotatedAnswer>({
    method: 'POST',
    path: `${pathOf(ref)}/rotate-secret`,
    body: { overlap_ms: flags.overlap, ...(secret !== null && { secret }) },
  });
  const form = await changedForm(app, call, view);
  const hooks = isRemote(app.env) ? [] : (app.reader()?.connections() ?? []);
  const isConnected = hooks.some(({ webhookId }) => webhookId === view.webhook_id);
  const until = view.former_secret_expires_at;
  const former =
    until === null ? 'the former one no longer verifies' : `the former one until ${localTime(until)}`;
  return report(app, flags.json, {
    view,
    done: `${view.name} (${view.webhook_id}) has a new secret; ${former}\n${form}`,
    next: isConnected
      ? 'hookctl connect check --fix  (gives its hooks the new secret)'
      : `change the secret at the sender, then: hookctl delivery list --webhook ${refOf(view)}`,
    isServed,
  });
}

function overlap(text: string): number {
  if (text === '0') return 0;
  const parsed = duration.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It must be a number and s, m, h, d or w, such as 24h, or 0.');
}
