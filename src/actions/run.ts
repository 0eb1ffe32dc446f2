import { resolve } from 'node:path';
import { z } from 'zod';
import { failure } from '../errors.ts';
import { commandLabel } from '../labels.ts';
import {
  type Environment,
  programEnvironment,
  type RunningProcess,
  startProcess,
} from '../lib/process/subprocess.ts';
import { shorten } from '../lib/text/escape-invisible.ts';
import { duration } from '../lib/units.ts';
import { type Action, type ActionContext, outcome } from './action.ts';

const OUTPUT_LIMIT = 1_000_000;
const LONGEST_MS = 900_000;
const GRACE_MS = 2_000;
const NOTE_LENGTH = 300;

const options = z.strictObject({
  program: z.string().min(1).describe('Program: a name on the PATH, or a path below the project folder.'),
  args: z.array(z.string()).default([]).describe('Arguments, passed on unchanged: no shell, no templates.'),
  cwd: z.string().default('.').describe('Folder to run in, relative to the project folder.'),
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected names of environment variables'))
    .default([])
    .describe('Further variables that the program may see; by default only PATH, HOME and their like.'),
  timeout: duration
    .refine((ms) => ms <= LONGEST_MS, 'expected at most 15m')
    .prefault('60s')
    .describe('When it is stopped, such as 30s; default 60s, at most 15m.'),
});

type Options = z.output<typeof options>;

/**
 * Runs a program on the payload: JSON on stdin, facts in `HOOKCTL_*` variables, nothing from outside in its arguments.
 * It gets a process group of its own, which is ended at the time limit or above 1 MB of output. It runs before its
 * delivery is settled, so that a crash of hookctl meanwhile runs it again.
 */
export const run: Action = {
  name: 'run',
  reachesOut: true,
  usesTemplate: false,
  options,

  async run(context) {
    const settings = options.parse(context.command.options);
    const { program } = settings;
    const { code, signal, why, lastLines } = await runBounded(context, settings);
    if (why !== null) throw failure('run_stopped', `${program} was stopped: ${why}${said(lastLines)}`);
    const how = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
    const note = shorten(`${program} ${how}${said(lastLines)}`, NOTE_LENGTH);
    if (code !== 0) throw failure('run_failed', note);
    return outcome({ note });
  },
};

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why hookctl ended it. Null when it ended by itself. */
  readonly why: string | null;
  readonly lastLines: readonly string[];
}

async function runBounded(context: ActionContext, settings: Options): Promise<End> {
  const { projectFolder, env, stopping } = context.surroundings;
  let running: RunningProcess | null = null;
  let why: string | null = null;
  let output = 0;
  const stop = (reason: string) => {
    why ??= reason;
    void running?.stop();
  };
  const onStopping = () => stop('hookctl stops');
  const cwd = resolve(projectFolder, settings.cwd);
  running = await startProcess({
    program: settings.program.includes('/') ? resolve(cwd, settings.program) : settings.program,
    args: settings.args,
    env: { ...programEnvironment(env, ...settings.env), ...factsOf(context) },
    cwd,
    input: Buffer.from(JSON.stringify(context.template.event.payload)),
    howToGet: 'Install it, or correct `options.program` of the command.',
    graceMs: GRACE_MS,
    onOutput(bytes) {
      output += bytes;
      if (output > OUTPUT_LIMIT) stop(`it printed more than ${OUTPUT_LIMIT / 1e6} MB`);
    },
  });
  const timer = setTimeout(() => stop(`it took longer than ${settings.timeout / 1000} s`), settings.timeout);
  stopping.addEventListener('abort', onStopping, { once: true });
  if (stopping.aborted) onStopping();
  const end = await running.ended;
  clearTimeout(timer);
  stopping.removeEventListener('abort', onStopping);
  // Also when it ended by itself: what it left in its group goes with it.
  await running.stop();
  // Not a result of the program: the delivery stays pending and runs again at the next start.
  if (stopping.aborted && why !== null)
    throw new Error(`${settings.program} was stopped because hookctl stops`);
  return { ...end, why, lastLines: running.lastLines() };
}

/** Without NUL, which no environment variable can hold. */
function factsOf({ delivery, template, command }: ActionContext): Environment {
  const { event, argument } = template;
  const facts = {
    HOOKCTL_DELIVERY_ID: delivery.id,
    HOOKCTL_WEBHOOK: delivery.webhook,
    HOOKCTL_COMMAND: commandLabel(command),
    HOOKCTL_EVENT_TYPE: event.type,
    HOOKCTL_EXTERNAL_ID: event.externalId ?? '',
    HOOKCTL_ARGUMENT: argument,
  };
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, value.replaceAll('\0', '')]));
}

function said(lastLines: readonly string[]): string {
  const lines = lastLines.filter((line) => line !== '').slice(-3);
  return lines.length === 0 ? '' : `: ${lines.join(' | ')}`;
}
