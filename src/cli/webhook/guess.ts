import { readFile } from 'node:fs/promises';
import { storedSource } from '../../deliveries/replay.ts';
import { failure, notFound, usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { secret } from '../../lib/redact/redact.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import { PROVIDER_NAMES } from '../../providers/facts.ts';
import { loadProviders } from '../../providers/index.ts';
import type { Guess } from '../../providers/scheme/guess.ts';
import type { Services } from '../../services.ts';
import type { RawRequest, WebhookSecret } from '../../types.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { printJson } from '../kit/print.ts';
import { storedReader } from '../kit/stored.ts';
import { isFile } from '../replay/file.ts';
import { givenSecret, type SecretFlags, secretOptions } from './secret-input.ts';

interface GuessFlags extends JsonFlags, SecretFlags {
  readonly url?: string;
}

export const configureGuess: CliCommand = (command, runner) => {
  secretOptions(command, 'the secret, token or public key')
    .description('Find out how a kept request is signed, and print the settings.')
    .argument(
      '<file|delivery>',
      'delivery id; or a file: `delivery show --json`, or the request as HTTP writes it',
    )
    .option('--url <url>', 'URL that the sender was given, where it signs that')
    .option('--json', 'print one object')
    .examples(
      'hookctl webhook guess dlv-01jd9x3k2a7f3kq2 --secret-stdin',
      'hookctl webhook guess request.txt --secret-file secret.txt --url https://hooks.example.com/x',
    )
    .action(runner.action(command, guess));
};

/** A kept request, and when it came (epoch ms). */
interface Kept {
  readonly request: RawRequest;
  readonly at: number;
  /** Secrets of its webhook. */
  readonly secrets: readonly WebhookSecret[];
}

async function guess(app: Services, source: string, flags: GuessFlags): Promise<0 | 1> {
  const given = await givenSecret(app, flags);
  const kept = isFile(source) ? await readRequest(source, app.clock.now()) : await readDelivery(app, source);
  const secrets = given === null ? kept.secrets : [{ value: secret(textOf(app, given)), expiresAt: null }];
  if (secrets.length === 0) {
    throw usageError('the secret is missing', 'Give it with --secret-stdin, --secret-file or --secret-env.');
  }
  const request: RawRequest = {
    method: 'POST',
    ...kept.request,
    ...(flags.url !== undefined && { publicUrl: () => flags.url ?? '' }),
  };
  const { guessSettings } = await import('../../providers/scheme/guess.ts');
  const providers = await loadProviders(PROVIDER_NAMES.filter((name) => name !== 'generic'));
  const named = providers
    .filter((provider) => provider.verify(request, secrets, kept.at).ok)
    .map(({ name }) => name);
  const guesses = await guessSettings(request, secrets, kept.at);
  if (flags.json === true)
    printJson(app.io, {
      providers: named,
      settings: guesses.map(({ settings, isWeak }) => ({ proves_body: !isWeak, settings })),
    });
  else print(app, named, guesses);
  if (named.length + guesses.length > 0) return 0;
  if (flags.json === true) return 1;
  throw failure('no_scheme', `nothing that hookctl knows signs ${source} with this secret`, {
    fix: 'Check that it is the secret of this very webhook, and that the file has the bytes as they came; where the URL is signed, add --url.',
  });
}

function textOf({ env }: Services, given: { readonly value: string } | { readonly env: string }): string {
  if ('value' in given) return given.value.trim();
  const value = env[given.env];
  if (value === undefined || value === '')
    throw usageError(`${given.env} is not set`, 'Set it, or give the secret with --secret-stdin.');
  return value;
}

function print({ io }: Services, named: readonly string[], guesses: readonly Guess[]): void {
  for (const name of named)
    say(io.out, `as ${name}:\n  hookctl webhook add ${name} --name ${name} --secret-stdin`);
  const [best] = guesses;
  if (best === undefined) return;
  const { settings, isWeak } = best;
  const options = Object.entries(settings).map(
    ([name, value]) => `--option ${shellQuote(`${name}=${value}`)}`,
  );
  const about = isWeak
    ? 'by settings of generic, which prove the sender, not the body'
    : 'by settings of generic';
  say(io.out, `${about}:`);
  for (const [name, value] of Object.entries(settings)) say(io.out, `  ${name}: ${JSON.stringify(value)}`);
  say(io.out, `  hookctl webhook add generic --name inbox ${options.join(' ')} --secret-stdin`);
}

async function readDelivery(app: Services, id: string): Promise<Kept> {
  const reader = storedReader(app, id);
  const delivery = reader.delivery(id);
  if (delivery === null) throw notFound(`there is no delivery ${id}`, 'List them: hookctl delivery list');
  if (delivery.status === 'rejected') {
    throw failure('no_body', `${id} was refused, and the bytes of refused requests are not kept`, {
      fix: 'Let the webhook take everything for a while (hookctl serve --insecure-no-verify <name>), or save the request at the sender.',
    });
  }
  const { request } = storedSource(reader, id, app.located.dataFolder);
  const { snapshot } = await app.configuration();
  const webhook = snapshot.byName.get(delivery.webhook);
  return {
    request: { ...request, ...(webhook !== undefined && { path: webhook.endpoint }) },
    at: delivery.receivedAt,
    secrets: webhook?.secrets ?? [],
  };
}

async function readRequest(path: string, now: number): Promise<Kept> {
  const bytes = await readFile(path).catch(() => {
    throw notFound(
      `there is no delivery and no file ${path}`,
      'List deliveries with `hookctl delivery list`.',
    );
  });
  const exported = asExported(bytes);
  return { request: exported?.request ?? asHttp(path, bytes), at: exported?.at ?? now, secrets: [] };
}

/** `delivery show --json`. */
function asExported(bytes: Uint8Array): Omit<Kept, 'secrets'> | null {
  try {
    const {
      headers,
      query,
      body_base64: body,
      received_at: at,
    } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    if (typeof body !== 'string' || typeof headers !== 'object' || headers === null) return null;
    const request = {
      headers: headers as RawRequest['headers'],
      query: typeof query === 'string' ? query : '',
      body: Buffer.from(body, 'base64'),
    };
    return { request, at: typeof at === 'string' ? Date.parse(at) : Date.now() };
  } catch {
    return null;
  }
}

/** A request line, headers, an empty line, and the body to the last byte. */
function asHttp(path: string, bytes: Buffer): RawRequest {
  const text = bytes.toString('latin1');
  const gap = /\r?\n\r?\n/.exec(text);
  const [line = '', ...lines] = text.slice(0, gap?.index ?? 0).split(/\r?\n/);
  const [, method = '', where = '', query = ''] = /^([A-Z]+) ([^\s?]+)\??(\S*)/.exec(line) ?? [];
  if (gap === null || method === '') {
    throw usageError(
      `${path} is no request`,
      'It begins with POST /path, then headers, an empty line and the body; or it is what `hookctl delivery show --json` prints.',
    );
  }
  const headers = lines.map((each) => {
    const at = each.indexOf(':');
    return [each.slice(0, at).trim().toLowerCase(), each.slice(at + 1).trim()] as const;
  });
  const body = bytes.subarray(gap.index + gap[0].length);
  return { method, path: where, query, headers: Object.fromEntries(headers), body };
}
