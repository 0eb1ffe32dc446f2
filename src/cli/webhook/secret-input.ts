import { usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import type { Command } from '../kit/command.ts';
import { warn } from '../kit/print.ts';
import { readText } from '../kit/prompts.ts';

/** Options that set a secret. */
export interface SecretFlags {
  readonly secret?: string;
  readonly secretEnv?: string;
  readonly secretFile?: string;
  readonly secretStdin?: boolean;
}

/** `what` describes the secret in help: `the secret that the sender signs with`. */
export function secretOptions(command: Command, what: string): Command {
  return command
    .option('--secret-stdin', `read ${what} from standard input`)
    .option('--secret-file <file>', `read ${what} from a file`)
    .option('--secret-env <variable>', `environment variable that holds ${what}`)
    .option('--secret <secret>', `${what}; other users can see it in the list of processes`);
}

/** The secret that the options set; null when none does. Throws `usage` when several do. */
export async function givenSecret(
  app: Services,
  { secret, secretEnv, secretFile, secretStdin }: SecretFlags,
): Promise<{ readonly value: string } | { readonly env: string } | null> {
  const given = { secret, 'secret-env': secretEnv, 'secret-file': secretFile, 'secret-stdin': secretStdin };
  const [first, second] = Object.entries(given).filter(([, value]) => value !== undefined);
  if (first === undefined) return null;
  if (second !== undefined) {
    throw usageError(`--${first[0]} and --${second[0]} exclude each other`, 'Give one of them.');
  }
  if (secretEnv !== undefined) return { env: secretEnv };
  if (secret !== undefined) {
    const advice = 'The secret is in the list of processes and in your shell’s history:';
    warn(app.io, `${advice}\n  next time give it with --secret-stdin or --secret-file.`);
    return { value: secret };
  }
  if (secretStdin === true && app.stdin().isTTY)
    say(app.io.err, 'Paste the secret, then press Enter and Ctrl-D.');
  const file = secretStdin === true ? '-' : secretFile;
  const text = await readText(app, { option: '--secret', text: undefined, file });
  if (text === null || text.trim() === '') throw usageError('the secret is empty', 'Nothing was changed.');
  return { value: text };
}
