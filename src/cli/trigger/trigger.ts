import { quickListing } from '../../config/listing.ts';
import { usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { suggestion } from '../../lib/suggest.ts';
import { PROVIDER_NAMES, providerFacts } from '../../providers/facts.ts';
import { loadProvider } from '../../providers/index.ts';
import type { Services } from '../../services.ts';
import type { Provider } from '../../types.ts';
import type { CliCommand } from '../kit/command.ts';
import { collect } from '../kit/options.ts';
import { printJson } from '../kit/print.ts';
import type { TriggerFlags } from './send.ts';

export const configureTrigger: CliCommand = (command, runner) => {
  command
    .argument('[provider]', `${PROVIDER_NAMES.join(', ')}; or a webhook`)
    .argument('[event]', 'event type, e.g. issue_comment.created; the first sample if left out')
    .option('--text <text>', 'what the person writes; text commands need it')
    .option('--set <path=value>', 'change a field of the payload, as JSON or text (repeatable)', collect, [])
    .option('--payload <file>', 'a JSON file instead of the built-in sample')
    .option('--webhook <name>', 'webhook to post to (default: the provider’s own)')
    .option('--replies', 'also post the replies; by default a sample posts none')
    .option('--list', 'list the built-in samples')
    .option('--json', 'print { delivery, tasks } as JSON, with --list an array of { provider, type }')
    .examples(
      'hookctl trigger github issue_comment.created --text "@agent analyze why login fails"',
      'hookctl trigger github issues.opened --set issue.title="Crash on start"',
    )
    .action(
      runner.action(
        command,
        async (app, provider: string | undefined, type: string | undefined, flags: TriggerFlags) => {
          if (flags.list === true) return list(app, provider, flags);
          const { send } = await import('./send.ts');
          return send(app, provider, { ...flags, type });
        },
      ),
    );
};

async function list(app: Services, name: string | undefined, { json }: TriggerFlags): Promise<0> {
  const { io } = app;
  const known = new Map([...providerFacts].map(([provider, { samples }]) => [provider, new Set(samples)]));
  for (const { name: provider, samples } of await shapedProviders(app)) {
    const types = known.get(provider) ?? new Set();
    known.set(provider, new Set([...types, ...samples.map(({ type }) => type)]));
  }
  if (name !== undefined && !known.has(name)) {
    throw usageError(`there is no provider ${name}`, suggestion(name, [...known.keys()]));
  }
  const listed = [...known].filter(([provider]) => name === undefined || provider === name);
  const samples = listed.flatMap(([provider, types]) => [...types].map((type) => ({ provider, type })));
  if (json === true) printJson(io, samples);
  else for (const { provider, type } of samples) say(io.out, `${provider} ${type}`);
  return 0;
}

/**
 * Providers of webhooks whose samples are not facts: the project's own, and `generic`, whose samples its options make. The
 * project's code is loaded only when there is some, or something changed since the last start.
 */
async function shapedProviders({ located, env, configuration }: Services): Promise<readonly Provider[]> {
  const listing = await quickListing({ located, env });
  const isKnown = listing?.webhooks.every(({ provider }) => providerFacts.has(provider));
  if (listing === null || !isKnown || listing.unloaded.length > 0) {
    return (await configuration({ runModules: true })).snapshot.webhooks.map(({ provider }) => provider);
  }
  const own = listing.webhooks.filter(({ provider }) => provider === 'generic');
  if (own.length === 0) return [];
  const generic = await loadProvider('generic');
  return own.flatMap(({ options }) => {
    const configured = generic?.configure?.(options);
    return configured?.ok === true ? configured.provider : [];
  });
}
