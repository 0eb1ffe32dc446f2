import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Configuration } from '../config/index.ts';
import { failure, usageError } from '../errors.ts';
import { paint, say } from '../lib/io.ts';
import { shellQuote } from '../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../lib/text/escape-invisible.ts';
import type { Services } from '../services.ts';
import type { Loss, Staged } from '../store/local/restore.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { counted, localTime, printJson } from './kit/print.ts';
import { agrees, canAsk } from './kit/prompts.ts';
import { requireLocalStore } from './kit/stored.ts';

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
    .examples(
      'hookctl restore ~/hookctl-backup-2026-01-31',
      'hookctl restore before-restore-2026-01-31T12-00-00-000Z',
    )
    .action(runner.action(command, run));
};

async function run(app: Services, typed: string, { yes = false, json = false }: RestoreFlags): Promise<0> {
  const { io, clock, actor, located } = app;
  const { dataFolder } = located;
  requireLocalStore(app, 'restore');
  const source = sourceOf(app, typed);
  refuseBesideServer(app, typed);
  await app.hold('restore');
  const { lossOf, stageBackup, unstage } = await import('../store/local/restore.ts');
  const { isSwapping, swapIn } = await import('../store/local/swap.ts');
  say(io.err, `Checking ${source} …`);
  const staged = await stageBackup({ source, dataFolder, entry: { at: clock.now(), actor } });
  try {
    // A broken configuration may be the reason for the restore: then all that the backup allows is new.
    const configuration = await app.configuration().catch(() => null);
    const allowed = await newlyAllowedBy(app, staged, configuration);
    const loss = lossOf(dataFolder, join(dataFolder, staged.staged));
    tell(app, staged, loss, allowed);
    if (!yes && !(await confirmed(app, typed, loss))) {
      await unstage(dataFolder, staged);
      say(io.err, 'Nothing was changed.');
      return 0;
    }
    await swapIn(dataFolder, staged, () => sweepList(app, configuration, loss?.tasks ?? []));
    const former = join(dataFolder, staged.former);
    if (json) {
      const lost = loss === null ? null : { deliveries: loss.deliveries, tasks: loss.tasks.length };
      printJson(io, { restored: source, former, lost, newly_allowed: allowed });
    } else {
      say(io.out, `Restored ${source}.\nThe replaced state is in ${former}`);
      say(io.err, `Undo it: hookctl restore ${staged.former}\nNext: hookctl serve`);
    }
  } catch (error) {
    // The next command that opens the folder ends a swap that has started, and needs the staged state.
    if (!isSwapping(dataFolder)) await unstage(dataFolder, staged);
    throw error;
  }
  return 0;
}

/** A path, or the name of a former state in the data folder. The manifest of a backup selects its folder. */
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
  throw failure('in_use', `a server (pid ${holder.pid}) works on ${app.located.dataFolder}`, {
    fix: `Stop it, restore, start it again:\n  kill ${holder.pid}\n  hookctl restore ${shellQuote(typed)}\n  hookctl serve`,
  });
}

/** Throws ConfigError when the staged state can't be served with the project as it is now. */
async function newlyAllowedBy(
  app: Services,
  { staged }: Staged,
  present: Configuration | null,
): Promise<readonly string[]> {
  const { newlyAllowed } = await import('../server/permissions.ts');
  const part = app.part(join(app.located.dataFolder, staged));
  const after = await part.configuration().finally(part.close);
  return newlyAllowed(present, after);
}

function tell({ io }: Services, { madeAt }: Staged, loss: Loss | null, allowed: readonly string[]): void {
  say(io.err, `The state of ${localTime(new Date(madeAt).toISOString())} takes the place of what is stored.`);
  if (loss === null) say(io.err, 'What is stored now can not be read, so what is lost is not known.');
  else {
    say(io.err, `Lost: ${lostOf(loss)} that it does not hold.`);
    const { deliveries, tasks } = loss.open;
    const open = `${many(deliveries, 'delivery')}, ${many(tasks, 'task')}`;
    if (deliveries + tasks > 0) say(io.err, `Open in it, for the next server: ${open}.`);
  }
  if (allowed.length > 0) say(io.err, paint(io.err, 'yellow', 'It allows what is not allowed now:'));
  for (const line of allowed) say(io.err, paint(io.err, 'yellow', `  ${escapeInvisibleLine(line)}`));
}

async function confirmed(app: Services, typed: string, loss: Loss | null): Promise<boolean> {
  if (canAsk(app))
    return agrees(app, loss === null ? 'Restore it?' : `Restore it, and lose ${lostOf(loss)}?`);
  throw usageError(
    'restore asks before it changes anything, and there is no terminal to ask on; nothing was changed',
    `If this is right: hookctl restore ${shellQuote(typed)} --yes`,
  );
}

/** Before the store forgets the tasks: if the restore is interrupted now, the next server writes the files again. */
async function sweepList(
  app: Services,
  configuration: Configuration | null,
  taskIds: readonly string[],
): Promise<void> {
  if (taskIds.length === 0 || configuration === null) return;
  const { claudeOptions } = await import('../deliveries/engine.ts');
  const { removeTasks } = await import('../tasks/claude/remove.ts');
  const { located, cwd } = app;
  const projectFolder = located.projectFile === null ? cwd : dirname(located.projectFile);
  const removed = await removeTasks(claudeOptions(configuration, { ...app, projectFolder }), taskIds);
  if (typeof removed === 'number') return;
  say(app.io.err, paint(app.io.err, 'yellow', `Claude Code's list keeps the newer tasks: ${removed}`));
}

function lostOf({ deliveries, tasks }: Loss): string {
  return `${many(deliveries, 'delivery')} and ${many(tasks.length, 'task')}`;
}

function many(count: number, noun: 'delivery' | 'task'): string {
  const several = noun === 'delivery' ? 'deliveries' : 'tasks';
  return `${counted(count)} ${count === 1 ? noun : several}`;
}
