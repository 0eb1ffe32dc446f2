import type { Command } from 'commander';
import type { App, AppFlags } from '../app.ts';
import { explain } from '../pipeline/explain.ts';
import { type ReplaySource, readSource, storedSource, webhookOf } from '../pipeline/replay.ts';
import { type CliCommand, examples } from './command.ts';
import { explanationView, printExplanation } from './explanation.ts';
import { operations } from './operate.ts';
import { printJson } from './print.ts';
import { type FileHints, fileSource, isFile } from './replay-file.ts';
import { printSettled, succeeded } from './settled.ts';
import { storedReader } from './stored.ts';

interface ReplayFlags extends AppFlags, FileHints {
  readonly dryRun?: boolean;
  readonly replies?: boolean;
  readonly json?: boolean;
}

export const replay: CliCommand = {
  configure(command, runner) {
    fileOptions(command.argument('<id-or-file...>', 'delivery ids, exported deliveries, or bodies'))
      .option('--dry-run', 'say what would happen, and do nothing')
      .option('--replies', 'also post what the commands answer; a replay is silent otherwise')
      .option(
        '--json',
        'print an array of { delivery, tasks }, with --dry-run of what `explain --json` prints',
      )
      .addHelpText(
        'after',
        examples(
          'hookctl replay dlv-01jd9x3k2a7f3kq2',
          'hookctl replay body.json --provider github --event issue_comment.created --dry-run',
        ),
      )
      .action((sources: readonly string[], flags: ReplayFlags) =>
        runner.run(command.optsWithGlobals(), (app) =>
          flags.dryRun ? dryRun(app, sources, flags) : run(app, sources, flags),
        ),
      );
  },
};

/** The options by which a bare body says what it is. */
export function fileOptions(command: Command): Command {
  return command
    .option('--provider <name>', 'who sent the body of a file')
    .option('--event <type>', 'what the body of a file is, e.g. issue_comment.created')
    .option('--webhook <name>', 'webhook to run it in, if not the provider’s own');
}

async function run(app: App, sources: readonly string[], flags: ReplayFlags): Promise<0 | 1> {
  const files = await fileSources(app, sources, flags);
  const operate = await operations(app, 'replay');
  const results = [];
  for (const source of sources) {
    const file = files.get(source);
    const replies = flags.replies === true;
    const settled =
      file === undefined ? await operate.replay(source, replies) : await operate.replayFile(file, replies);
    if (flags.json !== true) printSettled(app.io, settled);
    results.push(settled);
  }
  if (flags.json === true) printJson(app.io, results);
  return results.every(succeeded) ? 0 : 1;
}

async function dryRun(app: App, sources: readonly string[], flags: ReplayFlags): Promise<0> {
  const { snapshot } = await app.configuration();
  const files = await fileSources(app, sources, flags);
  const views = [];
  for (const source of sources) {
    const replayed =
      files.get(source) ?? storedSource(storedReader(app, source), source, app.located.dataFolder);
    const explanation = explain(webhookOf({ snapshot: () => snapshot }, replayed), replayed.request);
    views.push({ source, ...explanationView(explanation) });
    if (flags.json !== true) printExplanation(app.io, source, explanation);
  }
  if (flags.json === true) printJson(app.io, views);
  return 0;
}

/** All files are read before anything runs: a mistake in the third must not leave the first two half done. */
async function fileSources(
  app: App,
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
  for (const [path, source] of read) readSource({ snapshot: () => snapshot }, source, path);
  return read;
}
