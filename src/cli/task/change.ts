import { isRemote } from '../../config/project/locate.ts';
import { say } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { ApiCall } from '../../mcp/backend.ts';
import type { ReleasedView, ReportBody, TaskVerb } from '../../server/api/tasks.ts';
import type { Services } from '../../services.ts';
import { iso, type TaskView } from '../../views.ts';
import type { CliCommand, Command, JsonFlags } from '../kit/command.ts';
import { managementCall } from '../kit/operate.ts';
import { amount, count, renamed } from '../kit/options.ts';
import { counted, printJson, sayFacts, warn } from '../kit/print.ts';
import { readText } from '../kit/prompts.ts';

/** Options for what a run of a task cost. */
interface SpentFlags {
  readonly costUsd?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

function spentOptions(command: Command): Command {
  return command
    .option('--cost-usd <amount>', 'cost of this run in dollars', amount)
    .option('--input-tokens <n>', 'tokens read', count)
    .option('--output-tokens <n>', 'tokens written', count);
}

function spentOf({ costUsd, inputTokens, outputTokens }: SpentFlags) {
  return { cost_usd: costUsd, input_tokens: inputTokens, output_tokens: outputTokens };
}

/** Applies a step to a task through the management API, and prints its new state. */
export async function changeTask(
  app: Services,
  id: string,
  verb: TaskVerb,
  { json, ...report }: ReportBody & { readonly json: boolean | undefined },
): Promise<0> {
  const before = isRemote(app.env) ? null : (app.reader()?.task(id) ?? null);
  const view = await postReport(await managementCall(app, `task ${verb}`), id, verb, report);
  if (before?.status === view.status && iso(before.updatedAt) === view.updated_at) {
    warn(app.io, `${id} is already ${view.status}: nothing was changed`);
  }
  return printChanged(app, view, json);
}

/** Applies a step to a task. */
export function postReport(call: ApiCall, id: string, verb: TaskVerb, report: ReportBody): Promise<TaskView> {
  const path = `/api/tasks/${encodeURIComponent(id)}/${verb}`;
  return call({ method: 'POST', path, body: { ...report, source: 'cli' } });
}

/** Prints a task that was created or changed. */
export function printChanged({ io }: Services, view: TaskView, json: boolean | undefined): 0 {
  if (json === true) {
    printJson(io, view);
    return 0;
  }
  sayFacts(io.out, [
    ['task', view.id],
    ['title', view.title],
    ['status', view.status],
    ['agent', view.agent],
  ]);
  if (view.unsynced !== null) {
    warn(io, `task files not written: ${escapeInvisibleLine(view.unsynced)}`);
  }
  say(io.err, `Next: hookctl task show ${view.id}`);
  return 0;
}

const STEPS = {
  start: 'Mark a task as started.',
  approve: 'Approve a task that waits for approval, so that it can run.',
  retry: 'Queue a failed or cancelled task again; its costs add up.',
} as const;

/** Configures `start`, `approve` or `retry`, which take nothing but the task. */
export function configureStep(step: keyof typeof STEPS): CliCommand {
  return (command, runner) => {
    command
      .description(STEPS[step])
      .argument('<id>', 'task id')
      .option('--json', 'print one object')
      .examples(`hookctl task ${step} task-01jd9x3k2a7f3kq2`)
      .action(
        runner.action(command, (app, id: string, { json }: JsonFlags) => changeTask(app, id, step, { json })),
      );
  };
}

interface CompleteFlags extends JsonFlags, SpentFlags {
  readonly result?: string;
  readonly resultFile?: string;
}

export const configureComplete: CliCommand = (command, runner) => {
  spentOptions(
    command
      .description('Complete a task with its result, whatever its status.')
      .argument('<id>', 'task id')
      .option('--result <text>', 'result; posted where the task came from')
      .option('--result-file <file>', 'read it from a file; - reads standard input'),
  )
    .option('--json', 'print one object')
    .examples(
      'hookctl task complete task-01jd9x3k2a7f3kq2 --result "Fixed in #43"',
      'hookctl task complete task-01jd9x3k2a7f3kq2 --result-file report.md --cost-usd 0.42',
    )
    .action(
      runner.action(command, async (app, id: string, flags: CompleteFlags) => {
        const text = { option: '--result', text: flags.result, file: flags.resultFile };
        const result = await readText(app, text);
        return changeTask(app, id, 'complete', { json: flags.json, result, ...spentOf(flags) });
      }),
    );
};

interface FailFlags extends JsonFlags, SpentFlags {
  readonly reason?: string;
  readonly reasonFile?: string;
}

export const configureFail: CliCommand = (command, runner) => {
  spentOptions(
    command
      .description('Fail a task with a reason. Tasks that depend on it stay blocked.')
      .argument('<id>', 'task id')
      .option('--reason <text>', 'why; posted where the task came from')
      .option('--reason-file <file>', 'read it from a file; - reads standard input')
      .addOption(renamed('--error <text>', '--reason'))
      .addOption(renamed('--error-file <file>', '--reason-file')),
  )
    .option('--json', 'print one object')
    .examples('hookctl task fail task-01jd9x3k2a7f3kq2 --reason "the tests do not start"')
    .action(
      runner.action(command, async (app, id: string, flags: FailFlags) => {
        const error = await readText(app, { option: '--reason', text: flags.reason, file: flags.reasonFile });
        return changeTask(app, id, 'fail', { json: flags.json, error, ...spentOf(flags) });
      }),
    );
};

interface AnswerFlags extends JsonFlags {
  readonly text?: string;
  readonly textFile?: string;
}

export const configureAnswer: CliCommand = (command, runner) => {
  command
    .description('Answer the question of a task that waits for an answer, so that it can go on.')
    .argument('<id>', 'task id')
    .option('--text <text>', 'answer; appended to the prompt of the task')
    .option('--text-file <file>', 'read it from a file; - reads standard input')
    .option('--json', 'print one object')
    .examples('hookctl task answer task-01jd9x3k2a7f3kq2 --text "Yes, keep the old format"')
    .action(
      runner.action(command, async (app, id: string, flags: AnswerFlags) => {
        const answer = await readText(app, { option: '--text', text: flags.text, file: flags.textFile });
        return changeTask(app, id, 'answer', { json: flags.json, answer });
      }),
    );
};

export const configureRelease: CliCommand = (command, runner) => {
  command
    .description('Release tasks that were queued before their agent was configured.')
    .argument('<agent>', 'name under `agents:` in webhooks.yml')
    .option('--json', 'print { agent, tasks } as JSON')
    .examples('hookctl task release planning')
    .action(
      runner.action(command, async (app, agent: string, { json }: JsonFlags) => {
        const call = await managementCall(app, 'task release');
        const path = `/api/agents/${encodeURIComponent(agent)}/release`;
        const released = await call<ReleasedView>({ method: 'POST', path, body: {} });
        if (json === true) printJson(app.io, released);
        else say(app.io.out, `released ${counted(released.tasks)} of ${agent}`);
        return 0;
      }),
    );
};
