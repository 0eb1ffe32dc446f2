import { say } from '../lib/io.ts';
import type { Services } from '../services.ts';
import type { ScheduleView } from '../tasks/schedules.ts';
import type { TaskView } from '../views.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { managementCall } from './kit/operate.ts';
import { localTime, printJson, sayFacts } from './kit/print.ts';
import { state, table, time, whole } from './kit/table.ts';

const COLUMNS = [
  whole('name'),
  state('state'),
  time('next'),
  time('last'),
  whole('cron'),
  'time zone',
  'agent',
];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List the schedules of webhooks.yml, and when each makes its next task.')
    .option('--json', 'print an array')
    .examples('hookctl schedule list')
    .action(runner.action(command, list));
};

async function list(app: Services, { json }: JsonFlags): Promise<0> {
  const { schedules } = await app.configuration();
  const { scheduleView } = await import('../tasks/schedules.ts');
  const states = app.reader()?.schedules() ?? [];
  const views = schedules.map((schedule) =>
    scheduleView(
      schedule,
      states.find(({ name }) => name === schedule.name),
      app.clock.now(),
    ),
  );
  if (json === true) printJson(app.io, views);
  else if (views.length === 0)
    say(app.io.err, 'No schedules. Write some under `schedules:` in webhooks.yml.');
  else {
    const rows = views.map((view) => [
      ...[view.name, view.state, localTime(view.next_due), localTime(view.last_due), view.cron],
      ...[view.time_zone, view.agent ?? 'brain'],
    ]);
    say(app.io.out, await table(app.io.out, COLUMNS, rows));
  }
  return 0;
}

export const configurePause = configureVerb('pause', 'Pause a schedule: what comes due makes no task.');
export const configureResume = configureVerb('resume', 'Let a paused schedule go on from its next due time.');

function configureVerb(verb: 'pause' | 'resume', description: string): CliCommand {
  return (command, runner) => {
    command
      .description(description)
      .argument('<name>', 'name of the schedule')
      .option('--json', 'print it as JSON')
      .examples(`hookctl schedule ${verb} nightly`)
      .action(
        runner.action(command, async (app, name: string, { json }: JsonFlags) => {
          const view = await ask<ScheduleView>(app, name, verb);
          const next = view.next_due === null ? null : localTime(view.next_due);
          if (json === true) printJson(app.io, view);
          else
            sayFacts(app.io.out, [
              ['schedule', view.name],
              ['state', view.state],
              ['next', next],
            ]);
          return 0;
        }),
      );
  };
}

export const configureRun: CliCommand = (command, runner) => {
  command
    .description('Make the task of a schedule now, whatever is due.')
    .argument('<name>', 'name of the schedule')
    .option('--json', 'print the task as JSON')
    .examples('hookctl schedule run nightly')
    .action(
      runner.action(command, async (app, name: string, { json }: JsonFlags) => {
        const task = await ask<TaskView>(app, name, 'run');
        if (json === true) printJson(app.io, task);
        else
          sayFacts(app.io.out, [
            ['task', task.id],
            ['status', task.status],
            ['agent', task.agent],
          ]);
        return 0;
      }),
    );
};

async function ask<View>(app: Services, name: string, verb: string): Promise<View> {
  const call = await managementCall(app, `schedule ${verb}`);
  return call<View>({ method: 'POST', path: `/api/schedules/${encodeURIComponent(name)}/${verb}`, body: {} });
}
