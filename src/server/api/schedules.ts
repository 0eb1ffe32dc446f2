import { Hono } from 'hono';
import { notFound } from '../../errors.ts';
import { suggestion } from '../../lib/suggest.ts';
import { taskView } from '../../views.ts';
import type { ApiEnv, ApiParts } from './route.ts';

/** `GET /schedules`, `POST /schedules/:name/pause|resume|run`: `run` makes a task now, whatever is due. */
export function scheduleRoutes(parts: ApiParts): Hono<ApiEnv> {
  const { context: tasks, schedules, schedulesChanged } = parts;
  const { store, clock } = tasks;
  const code = () => import('../../tasks/schedules.ts');
  const stateOf = (name: string) => store.schedules().find((state) => state.name === name);
  const named = (name: string) => {
    const found = schedules.find((schedule) => schedule.name === name);
    if (found !== undefined) return found;
    throw notFound(
      `there is no schedule ${name} in webhooks.yml`,
      suggestion(
        name,
        schedules.map((schedule) => schedule.name),
      ),
    );
  };
  const routes = new Hono<ApiEnv>().get('/schedules', async (context) => {
    const { scheduleView } = await code();
    return context.json({
      items: schedules.map((schedule) => scheduleView(schedule, stateOf(schedule.name), clock.now())),
      next_cursor: null,
    });
  });
  for (const verb of ['pause', 'resume'] as const)
    routes.post(`/schedules/:name/${verb}`, async (context) => {
      const schedule = named(context.req.param('name'));
      const { name } = schedule;
      const now = clock.now();
      const lastDue = stateOf(name)?.lastDue ?? now;
      // What came due during the pause is not missed.
      await store.noteSchedule({
        name,
        paused: verb === 'pause',
        lastDue: verb === 'resume' ? Math.max(now, lastDue) : lastDue,
      });
      schedulesChanged();
      context.set('change', { what: `schedule.${verb}`, target: name, details: {} });
      const { scheduleView } = await code();
      return context.json(scheduleView(schedule, stateOf(name), now));
    });
  return routes.post('/schedules/:name/run', async (context) => {
    const schedule = named(context.req.param('name'));
    const { scheduledTask } = await code();
    const task = await scheduledTask(tasks, schedule, null);
    parts.taskChanged(task);
    context.set('change', { what: 'schedule.run', target: schedule.name, details: { task: task.id } });
    return context.json(taskView(task), 201);
  });
}
