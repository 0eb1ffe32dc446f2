import { readWorkspaces } from '../agents/workspace/record.ts';
import { defaultProject, readProject } from '../config/project/schema.ts';
import { notFound } from '../errors.ts';
import { say } from '../lib/io.ts';
import { suggestion } from '../lib/suggest.ts';
import {
  type PrunedWorkspaces,
  type WorkspaceView,
  workspacesFolder,
  workspaceView,
} from '../server/workspaces/index.ts';
import type { Services } from '../services.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { managementCall } from './kit/operate.ts';
import { countedNoun, localTime, printJson } from './kit/print.ts';
import { confirmed } from './kit/prompts.ts';
import { below, state, table, time, whole } from './kit/table.ts';

/** The checkouts of a data folder, read from their records: no server is needed. */
async function workspacesIn(app: Services): Promise<readonly WorkspaceView[]> {
  const { projectFile } = app.located;
  const project = projectFile === null ? defaultProject() : (await readProject(projectFile)).project;
  const found = await readWorkspaces(workspacesFolder(app, project.workspaces.folder));
  return found.map(workspaceView);
}

async function named(app: Services, id: string): Promise<WorkspaceView> {
  const all = await workspacesIn(app);
  const found = all.find((each) => each.id === id || each.conversation_id === id);
  if (found !== undefined) return found;
  const known = all.map((each) => each.id);
  throw notFound(`there is no workspace ${id}`, suggestion(id, known));
}

const COLUMNS = [
  whole('id'),
  whole('agent'),
  state('state'),
  time('used'),
  whole('size'),
  'branch',
  below('not shipped'),
];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List the checkouts that hookctl made for conversations, and what each takes on disk.')
    .option('--json', 'print an array')
    .examples('hookctl workspace list')
    .action(runner.action(command, list));
};

async function list(app: Services, { json }: JsonFlags): Promise<0> {
  const all = await workspacesIn(app);
  if (json === true) printJson(app.io, all);
  else if (all.length === 0) say(app.io.err, 'No workspaces. An agent with `workspace: worktree` gets one.');
  else {
    const rows = all.map(({ id, agent, state: now, used_at, bytes, branch, unshipped }) => [
      ...[id, agent, now, localTime(used_at), inMb(bytes), branch],
      unshipped.join(', ') || '-',
    ]);
    say(app.io.out, await table(app.io.out, COLUMNS, rows));
    const total = all.reduce((sum, { bytes }) => sum + bytes, 0);
    say(app.io.err, `${countedNoun(all.length, 'workspace')}, ${inMb(total)}`);
  }
  return 0;
}

function inMb(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

export const configureOpen: CliCommand = (command, runner) => {
  command
    .description('Print the folder of a workspace, for `cd "$(…)"`.')
    .argument('<id>', 'workspace or conversation id')
    .option('--json', 'print one object')
    .examples('cd "$(hookctl workspace open conv-01jd9x3k2a7f3kq2)"')
    .action(
      runner.action(command, async (app, id: string, { json }: JsonFlags) => {
        const found = await named(app, id);
        if (json === true) printJson(app.io, found);
        else {
          say(app.io.out, found.path);
          say(
            app.io.err,
            `branch ${found.branch}; ${found.unshipped.join(', ') || 'nothing unshipped when last looked at'}`,
          );
        }
        return 0;
      }),
    );
};

interface RemoveFlags extends JsonFlags {
  readonly force?: boolean;
}

export const configureRemove: CliCommand = (command, runner) => {
  command
    .description('Remove a workspace, with its teardown. One with uncommitted or unpushed work stays.')
    .argument('<id>', 'workspace or conversation id')
    .option('--force', 'also with work that is nowhere else; commits of its branch stay in the repository')
    .option('--json', 'print one object')
    .examples('hookctl workspace remove conv-01jd9x3k2a7f3kq2')
    .action(
      runner.action(command, async (app, id: string, { force = false, json }: RemoveFlags) => {
        const { id: whole } = await named(app, id);
        const call = await managementCall(app, 'workspace remove');
        const path = `/api/workspaces/${encodeURIComponent(whole)}/remove`;
        const removed = await call<WorkspaceView>({ method: 'POST', path, body: { force } });
        if (json === true) printJson(app.io, removed);
        else say(app.io.out, `${removed.id} was removed`);
        return 0;
      }),
    );
};

interface PruneFlags extends JsonFlags {
  readonly anyAge?: boolean;
  readonly yes?: boolean;
}

export const configurePrune: CliCommand = (command, runner) => {
  command
    .description(
      'Remove the workspaces whose flows have ended and that hold no work; `serve` does it by itself.',
    )
    .option('--any-age', 'also those that `keepFor` keeps')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print { removed, kept }')
    .examples('hookctl workspace prune --any-age --yes')
    .action(runner.action(command, (app, flags: PruneFlags) => prune(app, flags, runner.argv)));
};

async function prune(
  app: Services,
  { anyAge = false, yes, json }: PruneFlags,
  argv: readonly string[],
): Promise<0> {
  const count = countedNoun((await workspacesIn(app)).length, 'workspace');
  const asked = {
    question: `Remove what is no longer needed of ${count}?`,
    would: `this would look at ${count} and remove what is no longer needed`,
    nothing: 'nothing was removed',
  };
  if (!(await confirmed(app, { yes, ...asked, argv }))) return 0;
  const call = await managementCall(app, 'workspace prune');
  const body = { any_age: anyAge };
  const done = await call<PrunedWorkspaces>({ method: 'POST', path: '/api/workspaces/prune', body });
  if (json === true) printJson(app.io, done);
  else {
    say(app.io.out, `${countedNoun(done.removed.length, 'workspace')} removed.`);
    for (const { id, unshipped } of done.kept)
      say(app.io.err, `${id} stays: ${unshipped.join(', ') || 'it could not be removed'}`);
  }
  return 0;
}
