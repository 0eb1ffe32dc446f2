import { explain } from '../../deliveries/explain.ts';
import {
  type ReplaySource,
  readSource,
  storedSource,
  trustOfReplay,
  webhookOf,
} from '../../deliveries/replay.ts';
import type { DispatchView } from '../../server/api/deliveries.ts';
import { explanationView } from '../../server/dashboard/explanation.ts';
import type { Services } from '../../services.ts';
import type { CliCommand } from '../kit/command.ts';
import { printExplanation } from '../kit/explanation.ts';
import { managementCall } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';
import { storedReader } from '../kit/stored.ts';
import { fileSource, isFile } from './file.ts';
import { checkFlags, type ReplayFlags, replayOptions, selectionOf } from './options.ts';
import { printSettled, succeeded } from './settled.ts';

export const configureReplay: CliCommand = (command, runner) => {
  replayOptions(command.argument('[id-or-file...]', 'delivery ids, exported deliveries, or bodies'))
    .examples(
      'hookctl replay dlv-01jd9x3k2a7f3kq2',
      'hookctl replay body.json --provider github --event issue_comment.created --dry-run',
      'hookctl replay --since 2h --status failed',
      'hookctl replay --webhook github --since 2026-01-31 --to http://localhost:3000/hook --resign',
    )
    .addHelpText('after', NOTES)
    .action(runner.action(command, start));
};

const NOTES = `
Filters select processed, ignored and failed deliveries, oldest first, and
never replays. With --to, secrets in headers are missing, because they are not
stored; --resign adds them.`;

async function start(app: Services, sources: readonly string[], flags: ReplayFlags): Promise<0 | 1> {
  checkFlags(sources, flags);
  if (sources.length === 0) return startMany(app, flags);
  if (flags.to !== undefined) {
    const { sendSources } = await import('./to.ts');
    const files = await fileSources(app, sources, flags);
    const all = sources.map((name) => ({ name, source: files.get(name) ?? stored(app, name) }));
    return sendSources(app, all, flags, flags.to);
  }
  return flags.dryRun === true ? dryRun(app, sources, flags) : run(app, sources, flags);
}

async function startMany(app: Services, flags: ReplayFlags): Promise<0 | 1> {
  const selection = selectionOf(app, flags);
  if (flags.to !== undefined) {
    const { sendSelection } = await import('./to.ts');
    return sendSelection(app, selection, flags, flags.to);
  }
  const many = await import('./many.ts');
  return flags.dryRun === true
    ? many.dryRunMany(app, selection, flags)
    : many.replaySelection(app, selection, flags);
}

async function run(app: Services, sources: readonly string[], flags: ReplayFlags): Promise<0 | 1> {
  const files = await fileSources(app, sources, flags);
  const call = await managementCall(app, 'replay');
  const results = [];
  for (const source of sources) {
    const file = files.get(source);
    const replies = flags.replies === true;
    const settled = await call<DispatchView>({
      method: 'POST',
      ...(file === undefined
        ? { path: `/api/deliveries/${encodeURIComponent(source)}/replay`, body: { replies } }
        : { path: '/api/replays', body: { ...fileBody(file), replies } }),
    });
    if (flags.json !== true) printSettled(app.io, settled);
    results.push(settled);
  }
  if (flags.json === true) printJson(app.io, results);
  return results.every(succeeded) ? 0 : 1;
}

function fileBody({ webhookName, request, sample = false }: ReplaySource) {
  const { headers, query, body } = request;
  return { webhook: webhookName, headers, query, body_base64: Buffer.from(body).toString('base64'), sample };
}

async function dryRun(app: Services, sources: readonly string[], flags: ReplayFlags): Promise<0> {
  const { snapshot, project } = await app.configuration();
  const files = await fileSources(app, sources, flags);
  const views = [];
  for (const source of sources) {
    const replayed = files.get(source) ?? stored(app, source);
    const explanation = await explain(
      webhookOf({ snapshot: () => snapshot }, replayed),
      replayed.request,
      trustOfReplay(replayed.trust),
      { owners: project.owners, owner: replayed.owner },
    );
    views.push({ source, ...explanationView(explanation) });
    if (flags.json !== true) await printExplanation(app.io, source, explanation);
  }
  if (flags.json === true) printJson(app.io, views);
  return 0;
}

function stored(app: Services, id: string): ReplaySource {
  return storedSource(storedReader(app, id), id, app.located.dataFolder);
}

/** Reads all files before anything runs, so that a mistake in one leaves nothing half done. */
async function fileSources(
  app: Services,
  sources: readonly string[],
  flags: ReplayFlags,
): Promise<Map<string, ReplaySource>> {
  const files = sources.filter(isFile);
  if (files.length === 0) return new Map();
  const { snapshot } = await app.configuration();
  const read = new Map(
    await Promise.all(files.map(async (path) => [path, await fileSource(path, flags, snapshot)] as const)),
  );
  if (flags.dryRun === true) return read;
  for (const [path, source] of read) await readSource({ snapshot: () => snapshot }, source, path);
  return read;
}
