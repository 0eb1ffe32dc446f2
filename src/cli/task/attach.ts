import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { failure, HookctlError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { pause } from '../../lib/time.ts';
import type { AttachedView } from '../../server/api/tasks.ts';
import type { Services } from '../../services.ts';
import type { RunView } from '../../task-views.ts';
import type { TaskView } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';
import { remoteView } from '../kit/remote.ts';
import { printChanged } from './change.ts';

interface AttachFlags extends JsonFlags {
  readonly now?: boolean;
  readonly print?: boolean;
}

const POLL_MS = 300;

export const configureAttach: CliCommand = (command, runner) => {
  command
    .description(
      'Open the session of a task’s run in this terminal. The run ends after its turn, and tasks of the thread wait until `task detach`.',
    )
    .argument('<id>', 'task id')
    .option('--now', 'end the run at once')
    .option('--print', 'only print the line that opens the session')
    .option('--json', 'print { run_id, open_with } and open nothing')
    .examples('hookctl task attach task-01jd9x3k2a7f3kq2', 'hookctl task attach task-01jd9x3k2a7f3kq2 --now')
    .action(runner.action(command, attach));
};

async function attach(app: Services, id: string, flags: AttachFlags): Promise<0 | 1> {
  const { now = false, print = false, json = false } = flags;
  const path = `/api/tasks/${encodeURIComponent(id)}/attach`;
  const call = await managementCall(app, 'task attach');
  const attached = await call<AttachedView>({ method: 'POST', path, body: { now } });
  if (attached.run_id !== null && !(await ended(app, attached.run_id, now))) {
    say(app.io.err, `It is still being handed over. Undo: hookctl task detach ${id}`);
    return 1;
  }
  const openWith = attached.open_with ?? (await sessionOf(call, path, now));
  if (openWith === null) {
    throw failure('no_session', `the run of ${id} ended without a session, so that it was given back`, {
      fix: `See its log: hookctl task logs ${id}`,
    });
  }
  if (json) printJson(app.io, { ...attached, open_with: openWith });
  else if (print || !app.io.out.isTerminal) say(app.io.out, openWith);
  else {
    const shell = spawn('sh', ['-c', openWith], { stdio: 'inherit', env: app.env });
    await once(shell, 'close');
  }
  say(app.io.err, `Give it back: hookctl task detach ${id}`);
  return 0;
}

/** The line that opens the session of a run which has ended now. Null when it had none: nothing waits for a person then. */
async function sessionOf(
  call: Awaited<ReturnType<typeof managementCall>>,
  path: string,
  now: boolean,
): Promise<string | null> {
  const again = call<AttachedView>({ method: 'POST', path, body: { now } });
  const openWith = await again.then(
    ({ open_with: line }) => line,
    (error: unknown) => {
      if (error instanceof HookctlError && error.code === 'no_session') return null;
      throw error;
    },
  );
  if (openWith === null) await call({ method: 'POST', path: path.replace(/attach$/, 'detach') });
  return openWith;
}

/** Waits until a run has ended; false when the user gave up waiting. */
async function ended(app: Services, runId: string, now: boolean): Promise<boolean> {
  const stop = new AbortController();
  void app.signals.next().then(() => stop.abort());
  if (!now) say(app.io.err, 'The agent finishes its turn; --now ends it at once.');
  do {
    if (await isOver(app, runId)) return true;
  } while (await pause(POLL_MS, stop.signal));
  return false;
}

async function isOver(app: Services, runId: string): Promise<boolean> {
  const remote = await remoteView<RunView>(app, `runs/${encodeURIComponent(runId)}`);
  return remote === null ? app.reader()?.run(runId)?.endedAt != null : remote.ended_at !== null;
}

export const configureDetach: CliCommand = (command, runner) => {
  command
    .description('Give the session of a task back: what waits in its thread runs again, in that session.')
    .argument('<id>', 'task id')
    .option('--json', 'print one object')
    .examples('hookctl task detach task-01jd9x3k2a7f3kq2')
    .action(
      runner.action(command, async (app, id: string, { json }: JsonFlags) => {
        const call = await managementCall(app, 'task detach');
        const path = `/api/tasks/${encodeURIComponent(id)}/detach`;
        return printChanged(app, await call<TaskView>({ method: 'POST', path }), json);
      }),
    );
};
