import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Configuration } from '../config/index.ts';
import { failure, usageError } from '../errors.ts';
import { paint, say } from '../lib/io.ts';
import { shellQuote } from '../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../lib/text/escape-invisible.ts';
import type { Services } from '../services.ts';
import type { Loss } from '../store/local/loss.ts';
import type { Staged } from '../store/local/staging.ts';
import { type CliCommand, examples, type JsonFlags } from './kit/command.ts';
import { counted, localTime, printJson } from './kit/print.ts';
import { agrees, canAsk } from './kit/prompts.ts';

interface RestoreFlags extends JsonFlags {
  readonly yes?: boolean;
}

export const configureRestore: CliCommand = (command, runner) => {
  command
    .description(
      'Put a backup in the place of what is stored, while no server runs. The backup is checked first; the command says what is lost and what becomes allowed, and asks. The replaced state is kept: restore it to undo.',
    )
    .argument('<backup>', 'a folder that `hookctl backup` wrote, or before-restore-… to undo a restore')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print { restored, former, lost, newly_allowed } as JSON; needs --yes')
    .addHelpText(
      'after',
      examples(
        'hookctl restore ~/hookctl-backup-2026-01-31',
        'hookctl restore before-restore-2026-01-31T12-00-00-000Z',
      ),
    )
    .action((source: string, flags: RestoreFlags) =>
      runner.run(command.optsWithGlobals(), (app) => run(app, source, flags)),
    );
};

/** What the person should know before the state is put in force. */
interface Outlook {
  /** Null when the present configuration is broken. */
  readonly configuration: Configuration | null;
  readonly loss: Loss | null;
  readonly allowed: readonly string[];
}

async function run(app: Services, typed: string, { yes = false, json = false }: RestoreFlags): Promise<0> {
  const { dataFolder } = app.located;
  const source = sourceOf(app, typed);
  refuseBesideServer(app, typed);
  await app.hold('restore');
  const { stageBackup, unstage } = await import('../store/local/staging.ts');
  const { isSwapping, swapIn } = await import('../store/local/swap.ts');
  say(app.io.err, `Checking ${source} …`);
  const staged = await stageBackup({
    ...{ source, dataFolder },
    entry: { at: app.clock.now(), actor: app.actor, revision: webhooksRevision },
    holder: { pid: app.pid, command: 'restore', version: app.version, startedAt: 0, server: null },
  });
  try {
    const outlook = await outlookOf(app, staged);
    tell(app, staged, outlook);
    if (!(await confirmed(app, typed, yes, outlook))) {
      await unstage(dataFolder, staged);
      say(app.io.err, 'Nothing was changed.');
      return 0;
    }
    const alone = () => sweepList(app, outlook);
    await swapIn({ dataFolder, ...staged, alone });
    report(app, source, staged, outlook, json);
  } catch (error) {
    // A swap that was begun is ended by the next command that opens the folder, and needs what was staged.
    if (!isSwapping(dataFolder)) await unstage(dataFolder, staged);
    throw error;
  }
  return 0;
}

/** A path, or the name of a former state in the data folder. The manifest of a backup stands for its folder. */
function sourceOf({ cwd, located: { dataFolder } }: Services, typed: string): string {
  const path = resolve(cwd, typed);
  const former = join(dataFolder, typed);
  const chosen = !existsSync(path) && basename(typed) === typed && existsSync(former) ? former : path;
  const isFile = statSync(chosen, { throwIfNoEntry: false })?.isFile() ?? false;
  return isFile && basename(chosen) === 'backup.json' ? dirname(chosen) : chosen;
}

function refuseBesideServer(app: Services, typed: string): void {
  const holder = app.holder();
  if (holder?.command !== 'serve') return;
  const again = `kill ${holder.pid}\n  hookctl restore ${shellQuote(typed)}\n  hookctl serve`;
  throw failure('in_use', `a server (pid ${holder.pid}) works on ${app.located.dataFolder}`, {
    fix: `Stop it, restore, start it again:\n  ${again}`,
  });
}

async function webhooksRevision(folder: string): Promise<string> {
  const { revisionOf } = await import('../config/dynamic/db-file.ts');
  return revisionOf(await readFile(join(folder, 'webhooks.json')).catch(() => null));
}

/** Throws ConfigError when the staged state can't be served with the project as it is now. */
async function outlookOf(app: Services, { staged }: Staged): Promise<Outlook> {
  const { dataFolder } = app.located;
  const { lossOf } = await import('../store/local/loss.ts');
  const { databasePath } = await import('../store/local/sqlite.ts');
  const { newlyAllowed } = await import('../server/permissions.ts');
  const folder = join(dataFolder, staged);
  const part = app.part(folder);
  const after = await part.configuration().finally(part.close);
  // A broken configuration may be the reason for the restore: then all that it allows is new.
  const configuration = await app.configuration().catch(() => null);
  return {
    configuration,
    loss: lossOf(databasePath(dataFolder), databasePath(folder)),
    allowed: newlyAllowed(configuration, after),
  };
}

function tell({ io }: Services, { madeAt }: Staged, { loss, allowed }: Outlook): void {
  say(io.err, `The state of ${localTime(new Date(madeAt).toISOString())} takes the place of what is stored.`);
  if (loss === null) say(io.err, 'What is stored now can not be read, so what is lost is not known.');
  else {
    say(io.err, `Lost: ${lostOf(loss)} that it does not hold.`);
    const { deliveries, tasks } = loss.open;
    if (deliveries + tasks > 0)
      say(
        io.err,
        `Open in it, for the next server: ${many(deliveries, 'delivery')}, ${many(tasks, 'task')}.`,
      );
  }
  if (allowed.length > 0) say(io.err, paint(io.err, 'yellow', 'It allows what is not allowed now:'));
  for (const line of allowed) say(io.err, paint(io.err, 'yellow', `  ${escapeInvisibleLine(line)}`));
}

async function confirmed(app: Services, typed: string, yes: boolean, { loss }: Outlook): Promise<boolean> {
  if (yes) return true;
  if (canAsk(app))
    return agrees(app, loss === null ? 'Restore it?' : `Restore it, and lose ${lostOf(loss)}?`);
  throw usageError(
    'restore asks before it changes anything, and there is no terminal to ask on; nothing was changed',
    `If this is right: hookctl restore ${shellQuote(typed)} --yes`,
  );
}

/** Before the store forgets the tasks: if the restore is interrupted now, the next server writes the files again. */
async function sweepList(app: Services, { configuration, loss }: Outlook): Promise<void> {
  const taskIds = loss?.tasks ?? [];
  if (taskIds.length === 0 || configuration === null) return;
  const { claudeOptions } = await import('../deliveries/engine.ts');
  const { removeTasks } = await import('../tasks/claude/remove.ts');
  const { located, cwd } = app;
  const projectFolder = located.projectFile === null ? cwd : dirname(located.projectFile);
  const removed = await removeTasks(claudeOptions(configuration, { ...app, projectFolder }), taskIds);
  if (typeof removed === 'number') return;
  say(app.io.err, paint(app.io.err, 'yellow', `Claude Code's list keeps the newer tasks: ${removed}`));
}

function report(
  app: Services,
  source: string,
  staged: Staged,
  { loss, allowed }: Outlook,
  json: boolean,
): void {
  const { former } = staged;
  const where = join(app.located.dataFolder, former);
  if (json) {
    const lost = loss === null ? null : { deliveries: loss.deliveries, tasks: loss.tasks.length };
    printJson(app.io, { restored: source, former: where, lost, newly_allowed: allowed });
    return;
  }
  say(app.io.out, `Restored ${source}.\nThe replaced state is in ${where}`);
  say(app.io.err, `Undo it: hookctl restore ${former}\nNext: hookctl serve`);
}

function lostOf({ deliveries, tasks }: Loss): string {
  return `${many(deliveries, 'delivery')} and ${many(tasks.length, 'task')}`;
}

function many(count: number, noun: 'delivery' | 'task'): string {
  const several = noun === 'delivery' ? 'deliveries' : 'tasks';
  return `${counted(count)} ${count === 1 ? noun : several}`;
}
