import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../lib/process/subprocess.ts';
import { duration } from '../lib/units.ts';
import { type ClaudeResult, readClaudeLine } from './claude-stream.ts';
import { findLogin, runEnvironment } from './environment.ts';
import type { AgentRunner, CommonOptions, RunIo, RunOrder, StartedRun } from './runner.ts';
import { byHand, runInSession } from './session-run.ts';
import { commonFields, modelFields } from './settings.ts';

/** What Claude Code itself needs to reach its model and to find its configuration. */
const CLAUDE_VARIABLES = `CLAUDE_CONFIG_DIR ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_BASE_URL
  CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_USE_BEDROCK CLAUDE_CODE_USE_VERTEX CLAUDE_CODE_USE_FOUNDRY
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC DISABLE_TELEMETRY DISABLE_AUTOUPDATER CLAUDE_CODE_MAX_RETRIES`.split(
  /\s+/,
);

/** Any of these is a login. */
const LOGINS = `ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_USE_BEDROCK
  CLAUDE_CODE_USE_VERTEX CLAUDE_CODE_USE_FOUNDRY`.split(/\s+/);

const LOST = /No conversation found with session ID/;

const options = z.strictObject({
  use: z.literal('claude'),
  ...commonFields,
  program: z.string().min(1).default('claude').describe('Claude Code; default: claude on the PATH.'),
  ...modelFields,
  allowedTools: z
    .array(z.string().regex(/^[A-Za-z]/, 'expected the name of a tool, such as Edit or Bash(npm test:*)'))
    .default([])
    .describe('What it may use without asking; everything that would have to be asked for is refused.'),
  budgetUsd: modelFields.budgetUsd
    .unwrap()
    .default(5)
    .describe('Most that one run may cost, in dollars; default 5.'),
  askPermission: duration
    .optional()
    .describe(
      'How long a person is asked before a tool that is not allowed is refused, such as 10m; left out: it is refused at once.',
    ),
  maxTurns: z.int().positive().describe('Most turns of one run.').optional(),
  worktree: z.boolean().default(false).describe('true: each task gets its own git worktree.'),
});

type ClaudeOptions = z.output<typeof options> & CommonOptions;
type ClaudeOrder = RunOrder<ClaudeOptions>;

/** Claude Code without a terminal: `claude -p`, prompt on stdin, events as JSON lines (2.1.330). */
export const claude: AgentRunner<ClaudeOptions> = {
  name: 'claude',
  options,
  check: ({ askPermission = 0, timeout }) =>
    askPermission < timeout
      ? []
      : [
          {
            path: ['askPermission'],
            message: 'is as long as a whole run may take',
            fix: 'Make `timeout` longer than `askPermission`.',
          },
        ],
  facts: {
    tested: '2.1.332',
    login: (env) =>
      findLogin(env, {
        variables: LOGINS,
        folder: ['CLAUDE_CONFIG_DIR', '.claude'],
        file: '.credentials.json',
      }),
    howToLogIn: 'start `claude` and use /login, or set CLAUDE_CODE_OAUTH_TOKEN or ANTHROPIC_API_KEY',
  },
  program: ({ program }) => program,
  // All runs in a conversation share its context.
  sessionKey: () => 'claude',
  mostUsd: ({ budgetUsd }) => budgetUsd,
  start: startClaude,
};

function startClaude(order: ClaudeOrder, io: RunIo): Promise<StartedRun> {
  const { env } = order;
  const { program } = order.options;
  return runInSession(order, io, {
    title: 'Claude Code',
    program,
    howToGet: 'Install Claude Code, or correct `program` of the agent.',
    env: environmentOf(order),
    args: (resumed) => argumentsOf(order, resumed),
    lost: LOST,
    transcript({ log, resumed }) {
      let result: ClaudeResult | null = null;
      return {
        line(line) {
          const event = readClaudeLine(line, resumed === null ? [] : order.meter);
          if (event?.type === 'init') {
            const { sessionId, folder } = event;
            const config = { CLAUDE_CONFIG_DIR: env.CLAUDE_CONFIG_DIR };
            io.session(sessionId, byHand(folder ?? order.folder, config, [program, '--resume', sessionId]));
          } else if (event?.type === 'log') event.lines.forEach(log);
          else if (event?.type === 'result') result = event.result;
          return event !== null;
        },
        outcome: () => result,
      };
    },
  });
}

async function argumentsOf(order: ClaudeOrder, resumed: string | null): Promise<readonly string[]> {
  const { task, scratch, environment, otherFolders } = order;
  const { model, allowedTools, budgetUsd, maxTurns, worktree } = order.options;
  const tools = [...allowedTools, ...(environment.allowedTools ?? [])];
  return [
    ...['-p', '--output-format', 'stream-json', '--verbose'],
    ...(resumed === null ? ['--session-id', randomUUID()] : ['--resume', resumed]),
    // The run has no user at a terminal: what is not allowed is refused, or a person is asked by hookctl.
    ...(order.options.askPermission === undefined || environment.mcpConfig === undefined
      ? ['--permission-mode', 'dontAsk']
      : ['--permission-mode', 'default', '--permission-prompt-tool', 'mcp__hookctl__ask_permission']),
    ...(tools.length === 0 ? [] : ['--allowedTools', ...tools]),
    ...withoutDataFolder(order.dataFolder),
    ...otherFolders.flatMap((folder) => ['--add-dir', folder]),
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
  // Claude Code gives a call of a tool up after this.
  const patience = order.options.askPermission;
  const waits = patience === undefined ? {} : { MCP_TOOL_TIMEOUT: String(patience + 60_000) };
  const list = order.taskList === null ? {} : { CLAUDE_CODE_TASK_LIST_ID: order.taskList };
  return runEnvironment(order, { usual: CLAUDE_VARIABLES, own: { ...taskTools, ...list, ...waits } });
}
