import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { describeEnd, type Environment } from '../lib/process/subprocess.ts';
import { shellQuote } from '../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../lib/text/escape-invisible.ts';
import { NO_USAGE } from '../types.ts';
import { type Bounded, type BoundedEnd, startBounded } from './bounded.ts';
import { type ClaudeResult, readClaudeLine } from './claude-stream.ts';
import { runEnvironment } from './environment.ts';
import type { AgentRunner, CommonOptions, RunIo, RunOrder, RunResult, StartedRun } from './runner.ts';
import { commonFields } from './settings.ts';

/** What Claude Code itself needs to reach its model and to find its configuration. */
const CLAUDE_VARIABLES = `CLAUDE_CONFIG_DIR ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_BASE_URL
  CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_USE_BEDROCK CLAUDE_CODE_USE_VERTEX CLAUDE_CODE_USE_FOUNDRY
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC DISABLE_TELEMETRY DISABLE_AUTOUPDATER`.split(/\s+/);

/** One event is one line, and holds whole files that were read. */
const LONGEST_LINE = 20_000_000;

/** Lines that are shown when it fails. */
const PRINTED_LINES = 20;

const LOST = /No conversation found with session ID/;

const options = z.strictObject({
  use: z.literal('claude'),
  ...commonFields,
  program: z.string().min(1).default('claude').describe('Claude Code; default: claude on the PATH.'),
  model: z
    .string()
    .regex(/^[\w][\w.:/@[\]-]*$/, 'expected the name of a model')
    .describe('Such as sonnet; default: what Claude Code is set to.')
    .optional(),
  allowedTools: z
    .array(z.string().regex(/^[A-Za-z]/, 'expected the name of a tool, such as Edit or Bash(npm test:*)'))
    .default([])
    .describe('What it may use without asking; everything that would have to be asked for is refused.'),
  budgetUsd: z.number().positive().default(5).describe('Most that one run may cost, in dollars; default 5.'),
  maxTurns: z.int().positive().describe('Most turns of one run.').optional(),
  worktree: z.boolean().default(false).describe('true: each task gets its own git worktree.'),
});

type ClaudeOptions = z.output<typeof options> & CommonOptions;
type ClaudeOrder = RunOrder<ClaudeOptions>;

/** Claude Code without a terminal: `claude -p`, prompt on stdin, events as JSON lines (2.1.330). */
export const claude: AgentRunner<ClaudeOptions> = {
  name: 'claude',
  options,
  check: () => [],
  program: ({ program }) => program,
  // All runs in a conversation share its context.
  sessionKey: () => 'claude',
  mostUsd: ({ budgetUsd }) => budgetUsd,
  start: startClaude,
};

async function startClaude(order: ClaudeOrder, io: RunIo): Promise<StartedRun> {
  const session = order.session;
  let stopped: string | null = null;
  let current = await startOnce(order, io, session);

  async function wholeResult(): Promise<RunResult> {
    const first = await current.ended;
    // It also prints a result that says so (stream-json, 2.1.330).
    const isLost = first.lost && first.result?.failed !== false;
    if (session === null || stopped !== null || !isLost) return resultOf(first);
    io.log({ kind: 'note', text: `Claude Code no longer has session ${session}: a new one is started` });
    current = await startOnce(order, io, null);
    if (stopped !== null) current.running.stop(stopped);
    const result = resultOf(await current.ended);
    return { ...result, text: `${result.text}\n\n(The earlier session was gone, so this one started anew.)` };
  }
  return {
    result: wholeResult(),
    stop(reason) {
      stopped ??= reason;
      current.running.stop(reason);
    },
  };
}

interface Attempt {
  readonly running: Bounded;
  readonly ended: Promise<Ended>;
}

interface Ended extends BoundedEnd {
  readonly program: string;
  readonly result: ClaudeResult | null;
  /** The last lines that were no events: complaints. */
  readonly printed: readonly string[];
  /** The session that was to be resumed is gone. */
  readonly lost: boolean;
}

async function startOnce(order: ClaudeOrder, io: RunIo, resumed: string | null): Promise<Attempt> {
  const { options: settings, folder, projectFolder } = order;
  const program = settings.program.includes('/')
    ? resolve(projectFolder, settings.program)
    : settings.program;
  const args = await argumentsOf(order, resumed);
  let result: ClaudeResult | null = null;
  let lost = false;
  const printed: string[] = [];
  const running = await startBounded(order, {
    program,
    args,
    env: environmentOf(order),
    input: Buffer.from(order.prompt),
    howToGet: 'Install Claude Code, or correct `program` of the agent.',
    longestLine: LONGEST_LINE,
    onLine(line) {
      const event = readClaudeLine(line);
      if (event === null) {
        lost ||= LOST.test(line);
        printed.push(escapeInvisibleLine(line));
        if (printed.length > PRINTED_LINES) printed.shift();
        io.log({ kind: 'output', text: line });
      } else if (event.type === 'init') {
        io.session(event.sessionId, openWith(order, event.folder ?? folder, event.sessionId));
      } else if (event.type === 'log') event.lines.forEach(io.log);
      else result = event.result;
    },
  });
  io.started(running.pid, [program, ...args]);
  return { running, ended: running.ended.then((end) => ({ ...end, program, result, lost, printed })) };
}

async function argumentsOf(order: ClaudeOrder, resumed: string | null): Promise<readonly string[]> {
  const { task, scratch, environment } = order;
  const { model, allowedTools, budgetUsd, maxTurns, worktree } = order.options;
  const tools = [...allowedTools, ...(environment.allowedTools ?? [])];
  return [
    ...['-p', '--output-format', 'stream-json', '--verbose'],
    ...(resumed === null ? ['--session-id', randomUUID()] : ['--resume', resumed]),
    // The run has no user to ask, so what is not allowed is refused.
    ...['--permission-mode', 'dontAsk'],
    ...(tools.length === 0 ? [] : ['--allowedTools', ...tools]),
    ...withoutDataFolder(order.dataFolder),
    ...(model === undefined ? [] : ['--model', model]),
    ...['--max-budget-usd', String(budgetUsd)],
    ...(maxTurns === undefined ? [] : ['--max-turns', String(maxTurns)]),
    ...(worktree ? [`--worktree=hookctl-${task.id}`] : []),
    ...(await fileOption('--mcp-config', scratch, 'mcp.json', environment.mcpConfig)),
    ...(await fileOption('--settings', scratch, 'settings.json', environment.settings)),
  ];
}

/** Claude Code reads the project without asking, and the data folder may be inside it. `//` begins an absolute path. */
function withoutDataFolder(dataFolder: string): readonly string[] {
  if (!/^[\w./ -]+$/.test(dataFolder)) return [];
  return ['--disallowedTools', ...['Read', 'Edit'].map((tool) => `${tool}(/${dataFolder}/**)`)];
}

async function fileOption(
  option: string,
  folder: string,
  name: string,
  content: string | undefined,
): Promise<readonly string[]> {
  if (content === undefined) return [];
  const file = join(folder, name);
  // Not over the command line, which everybody on the machine can read: it holds the run's token.
  await writeFile(file, content, { mode: 0o600 });
  return [`${option}=${file}`];
}

function environmentOf(order: ClaudeOrder): Environment {
  const taskTools = { CLAUDE_CODE_ENABLE_TASKS: '1', CLAUDE_CODE_ENABLE_TODO_TOOLS: '1' };
  const list = order.taskList === null ? {} : { CLAUDE_CODE_TASK_LIST_ID: order.taskList };
  return runEnvironment(order, { usual: CLAUDE_VARIABLES, own: { ...taskTools, ...list } });
}

/** The line that opens the session by hand. */
function openWith({ env, options: { program } }: ClaudeOrder, folder: string, session: string): string {
  const { CLAUDE_CONFIG_DIR: configDir } = env;
  const place = configDir === undefined ? '' : `CLAUDE_CONFIG_DIR=${shellQuote(configDir)} `;
  return `cd ${shellQuote(folder)} && ${place}${shellQuote(program)} --resume ${session}`;
}

function resultOf({ program, result, why, printed, code, signal }: Ended): RunResult {
  const end = { code, signal };
  const exit = { exitCode: code, signal, usage: result?.usage ?? NO_USAGE, denials: result?.denials ?? [] };
  const failed = (text: string): RunResult => ({ state: 'failed', text, ...exit });
  if (why !== null) return failed(`${program} was stopped: ${why}`);
  if (result === null) return failed(`it ended without a result: ${describeEnd(program, end, printed)}`);
  if (result.failed) return failed(result.text);
  if (code !== 0) return failed(describeEnd(program, end, printed));
  return { state: 'completed', text: result.text.trim() || 'Done.', ...exit };
}
