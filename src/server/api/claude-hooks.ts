import { Hono } from 'hono';
import { z } from 'zod';
import type { LogLine } from '../../agents/runner.ts';
import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import { readJson } from './body.ts';
import type { ManagementEnv } from './guard.ts';
import { problem } from './problem.ts';
import type { RunAccess } from './run-access.ts';

const TITLE_LENGTH = 200;

/** What Claude Code sends (2.1.330); it may send more at any time. */
const HookBody = z.looseObject({
  hook_event_name: z.string(),
  task_id: z.string().optional(),
  task_subject: z.string().optional(),
  last_assistant_message: z.string().nullish(),
  reason: z.string().optional(),
});

/**
 * `POST /hooks/claude/:run`: Claude Code's http hooks, only with the token of that very run. The answer `{}` decides
 * nothing: a veto is not ours to give.
 */
export function claudeHookRoutes(runs: Pick<RunAccess, 'reported'>): Hono<ManagementEnv> {
  return new Hono<ManagementEnv>().post('/hooks/claude/:run', async (context) => {
    const runId = context.req.param('run');
    if (context.get('scope')?.runId !== runId) {
      return problem(context, 403, 'run_token', 'these hooks take the token of their run alone');
    }
    const parsed = HookBody.safeParse(await readJson(context));
    if (!parsed.success) return problem(context, 400, 'hook', 'hook_event_name is missing');
    const line = lineOf(parsed.data);
    if (line !== null) runs.reported(runId, line);
    return context.json({});
  });
}

function lineOf(body: z.output<typeof HookBody>): LogLine | null {
  switch (body.hook_event_name) {
    case 'TaskCompleted': {
      const subject = shorten(escapeInvisibleLine(body.task_subject ?? ''), TITLE_LENGTH);
      return {
        kind: 'did',
        text: `completed #${escapeInvisibleLine(body.task_id ?? '?')} of the task list: ${subject}`,
      };
    }
    case 'Stop':
      return { kind: 'note', text: 'Claude Code finished its turn' };
    case 'SessionEnd':
      return {
        kind: 'note',
        text: `Claude Code’s session ended: ${escapeInvisibleLine(body.reason ?? 'no reason given')}`,
      };
    default:
      return null;
  }
}
