import type { z } from 'zod';
import type { Environment } from '../lib/process/subprocess.ts';
import type { AgentRun, Issue, ModelTokens, RunCause, RunUsage, Task } from '../types.ts';
import type { commonFields } from './settings.ts';
import type { Place } from './workspace/settings.ts';

/**
 * What the server adds to a run, so that the agent can speak to it: an MCP server to call, hooks that report, and a
 * token that is good for this run alone. Runners that know nothing of it ignore it.
 */
interface RunEnvironment {
  /** Configuration of MCP servers, as JSON text (`claude --mcp-config`); written to a file that only the run's user reads. */
  readonly mcpConfig?: string;
  /** Settings with hooks, as JSON text (`claude --settings`); likewise. */
  readonly settings?: string;
  /** Tools that come with it and that the agent may use without asking: `mcp__hookctl`. */
  readonly allowedTools?: readonly string[];
  /** Further variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Where runs get it from: the server, which alone knows its sockets and tokens. */
export interface RunEnvironments {
  /** Asked once for each run, right before it starts. `log` takes what the run reports by this way. */
  open(run: AgentRun, task: Task, log: (line: LogLine) => void): Promise<RunEnvironment>;
  /** The run has ended: its token is good for nothing any more. */
  close(run: AgentRun): void;
}

/** Runs that can't speak to hookctl. */
export const NO_ENVIRONMENTS: RunEnvironments = { open: async () => ({}), close: () => undefined };

/** A command line as it is started: `env` is its whole environment. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly folder: string;
}

/** What keeps a run apart from the machine. */
export interface Sandbox {
  /** The command line that starts this one inside. Throws `HookctlError` when the machine lacks something for it. */
  enter(command: CommandLine): Promise<CommandLine>;
  /** The part of hookctl's environment that runs are given of, with the home that is theirs. */
  readonly env: Environment;
  /** Asks what runs inside to end, as SIGTERM would; false when there is nothing that can be asked. */
  terminate(): boolean;
  /** Ends what is left inside; nothing can enter any more. */
  close(): Promise<void>;
}

/** What a runner is to do. */
export interface RunOrder<Options> {
  readonly run: AgentRun;
  readonly task: Task;
  /** Of this agent, from `agents:` in webhooks.yml. */
  readonly options: Options;
  /** What the agent is told: fenced data first, hookctl's instructions behind it. */
  readonly prompt: string;
  /** Absolute, real path of the folder to work in. */
  readonly folder: string;
  /** Checkouts of repositories that the task is for, its own one first; empty where it works in the folder of its agent. */
  readonly checkouts: readonly Place[];
  /** Those of them that are not around `folder`. */
  readonly otherFolders: readonly string[];
  /** In which `startBounded` starts the program; null when it runs as the user does. */
  readonly sandbox: Sandbox | null;
  /** A folder (0700) for files of this run alone; removed when the run ends. */
  readonly scratch: string;
  /** Folder with hookctl's own files and secrets, which the agent has no business in. */
  readonly dataFolder: string;
  /** Folder of the project: a program that is named by a path is found from here. */
  readonly projectFolder: string;
  /** hookctl's own environment, of which the run gets only what is listed. */
  readonly env: Environment;
  /** Names of variables that hold secrets of hookctl: never passed on, even when the settings name them. */
  readonly secretNames: ReadonlySet<string>;
  /** Name of Claude Code's task list; null where the list is switched off. */
  readonly taskList: string | null;
  /** The session of the conversation's earlier run; null when this is the first one. */
  readonly session: string | null;
  /** Tokens of the whole session when its last run ended, for programs that count by session; empty when not known. */
  readonly meter: readonly ModelTokens[];
  /** What tokens cost by `prices` of webhooks.yml, in dollars; null when a model has no price there. */
  readonly priceOf: (tokens: readonly ModelTokens[]) => number | null;
  readonly environment: RunEnvironment;
}

/** One line of a run's log. `said`: the agent's words, `did`: a tool it used, `note`: hookctl's. */
export interface LogLine {
  readonly kind: 'said' | 'did' | 'output' | 'note';
  readonly text: string;
}

/** Where a runner tells what happens, while it happens. */
export interface RunIo {
  log(line: LogLine): void;
  /** A process was started: once, or again when a lost session had to be started anew. */
  started(pid: number, commandLine: readonly string[]): void;
  /** The agent is in this session. `openWith`: the line that opens it by hand. */
  session(id: string, openWith: string | null): void;
}

/** What a run came to. */
export interface RunResult {
  readonly state: 'completed' | 'failed';
  /** What the agent answers, or why it failed, with the last lines that it printed. */
  readonly text: string;
  /** Why it failed, where that is told apart. */
  readonly cause?: RunCause;
  /** Tokens of the whole session by now, of programs that count by session. */
  readonly meter?: readonly ModelTokens[];
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly usage: RunUsage;
  readonly denials: readonly string[];
}

/** A run that goes on. */
export interface StartedRun {
  /** Resolves when nothing of the run is left: no process, no open pipe. */
  readonly result: Promise<RunResult>;
  /** SIGTERM, then SIGKILL, to all that the run started; `result` resolves as failed, with this reason. */
  stop(reason: string): void;
}

/** What every agent's settings have, whatever its runner: `commonFields` says what each is. `use` names the runner. */
export type CommonOptions = Readonly<z.output<z.ZodObject<typeof commonFields>>> & { readonly use: string };

/** What `hookctl check` finds out about a program without running anything that costs. */
interface ProgramFacts {
  /** The version that hookctl was tested with; `--version` prints the installed one. */
  readonly tested: string;
  /** Where its login is found, in words (`~/.codex/auth.json`); null when the program is not logged in. Reads files, starts nothing. */
  login(env: Environment): Promise<string | null>;
  /** How a person logs in. */
  readonly howToLogIn: string;
}

/** A way to run an agent. One file each, listed in `agents/index.ts`; the model to follow: `agents/command.ts`. */
export interface AgentRunner<Options extends CommonOptions = CommonOptions> {
  readonly name: string;
  /** The settings under `agents: <name>:`, with `use` being the runner's name. */
  readonly options: z.ZodObject;
  /** What can't be run safely with these settings. Pure. */
  check(options: Options): readonly Issue[];
  /** Rules in these settings that the program cannot hold, and what it does instead. Pure; left out: it holds them all. */
  cannotHold?(options: Options): readonly string[];
  /** Left out: nothing is known of the program. */
  readonly facts?: ProgramFacts;
  /** The program that must be there: a name on the PATH, or a path from the project folder. */
  program(options: Options): string;
  /** Runs of one conversation with the same key continue one session; null when the agent has no sessions. */
  sessionKey(options: Options, agent: string): string | null;
  /** What a run may cost at most, in dollars; null when unknown. */
  mostUsd(options: Options): number | null;
  /** Starts the agent. Rejects with `HookctlError` when it can't be started at all. */
  start(order: RunOrder<Options>, io: RunIo): Promise<StartedRun>;
}
