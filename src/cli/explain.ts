import type { Configuration } from '../config/index.ts';
import { explain } from '../deliveries/explain.ts';
import { storedSource, webhookOf } from '../deliveries/replay.ts';
import { commandsOut, say } from '../lib/io.ts';
import { explanationView } from '../server/dashboard/explanation.ts';
import type { Services } from '../services.ts';
import { deliveryView } from '../views.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { printExplanation } from './kit/explanation.ts';
import { served } from './kit/operate.ts';
import { printJson, sayFacts } from './kit/print.ts';
import { storedReader } from './kit/stored.ts';
import { sayUnloaded } from './kit/webhooks.ts';
import { type FileHints, fileSource, isFile } from './replay/file.ts';
import { fileOptions } from './replay/options.ts';

interface ExplainFlags extends JsonFlags, FileHints {}

export const configureExplain: CliCommand = (command, runner) => {
  fileOptions(command.argument('<id-or-file>', 'delivery id, exported delivery, or body'))
    .option('--json', 'print one object')
    .examples(
      'hookctl explain dlv-01jd9x3k2a7f3kq2',
      'hookctl explain body.json --provider github --event issues.opened',
    )
    .action(
      runner.action(command, (app, source: string, flags: ExplainFlags) =>
        isFile(source) ? explainFile(app, source, flags) : explainStored(app, source, flags),
      ),
    );
};

async function explainFile(app: Services, path: string, flags: ExplainFlags): Promise<0> {
  const { snapshot, repositories, project } = await lookedAt(app);
  const source = await fileSource(path, flags, snapshot);
  const explanation = await explain(
    webhookOf({ snapshot: () => snapshot }, source),
    source.request,
    undefined,
    { repositories, owners: project.owners },
  );
  if (flags.json === true)
    printJson(app.io, { source: path, delivery: null, ...explanationView(explanation) });
  else await printExplanation(app.io, path, explanation);
  return 0;
}

/** Reads the configuration, and prints which project files are not loaded. */
async function lookedAt(app: Services): Promise<Configuration> {
  const configuration = await app.configuration();
  sayUnloaded(app, (await served(app))?.not_loaded ?? configuration.unloaded);
  return configuration;
}

/** Prints what happened then, and what would happen with the present configuration. */
async function explainStored(app: Services, id: string, { json }: ExplainFlags): Promise<0> {
  const reader = storedReader(app, id);
  const delivery = reader.delivery(id);
  const hasBytes = delivery === null || delivery.status !== 'rejected';
  const source = hasBytes ? storedSource(reader, id, app.located.dataFolder) : null;
  const { snapshot, repositories, project } = await lookedAt(app);
  const explanation =
    source === null
      ? {
          owner: delivery?.owner ?? null,
          obstacle: 'it was refused before it was parsed, and its bytes were not kept',
          events: [],
        }
      : await explain(webhookOf({ snapshot: () => snapshot }, source), source.request, source.trust, {
          repositories,
          owners: project.owners,
          owner: source.owner,
        });
  const view = delivery === null ? null : deliveryView(delivery);
  if (json === true) printJson(app.io, { source: id, delivery: view, ...explanationView(explanation) });
  else {
    sayFacts(commandsOut(app.io), [
      ['became', view?.status ?? null],
      ['because', view?.reason ?? null],
    ]);
    say(app.io.out, '\nWith the present configuration:\n');
    await printExplanation(app.io, id, explanation);
  }
  return 0;
}
