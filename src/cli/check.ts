import { dirname } from 'node:path';
import type { Configuration } from '../config/index.ts';
import { lintWebhooks, startsWithoutApproval } from '../config/lint.ts';
import { type AgentNotice, agentNotices } from '../config/project/inspect-agents.ts';
import { secretProblems } from '../config/secrets.ts';
import { ConfigError, type Diagnostic, type ExitCode, formatDiagnostic } from '../errors.ts';
import { paint, say } from '../lib/io.ts';
import type { Services } from '../services.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { countedNoun, printJson } from './kit/print.ts';

export const configureCheck: CliCommand = (command, runner) => {
  command
    .option('--json', 'print { ok, problems, notices } on stdout')
    .examples('hookctl check', 'hookctl check --json | jq .problems')
    .action(runner.action(command, run));
};

/** What a look at all configuration found, with or without mistakes. */
export interface Inspection {
  /** Null when it can't be loaded. */
  readonly configuration: Configuration | null;
  readonly problems: readonly Diagnostic[];
  /** About secrets, variables and replaced webhooks. */
  readonly notices: readonly string[];
  /** What is allowed, and probably not meant. */
  readonly doubts: readonly string[];
  /** About the programs of agents. */
  readonly agents: readonly AgentNotice[];
}

/** Loads all configuration, runs the project's modules, and looks at it as closely as it can without serving. */
export async function inspectConfiguration(app: Services): Promise<Inspection> {
  const nothing = { notices: [], doubts: [], agents: [] };
  let configuration: Configuration;
  try {
    configuration = await app.configuration({ runModules: true });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ...nothing, configuration: null, problems: error.problems };
  }
  const { snapshot, notices, dynamic, agents, project, repositories } = configuration;
  // `serve` would use the last valid copy; this reports the file itself.
  const missing = [...agents.missing, ...repositories.missing];
  const [problems = []] = [dynamic.refused, missing, secretProblems(snapshot.webhooks)].filter(
    ({ length }) => length > 0,
  );
  if (problems.length > 0) return { ...nothing, configuration, problems };
  const doubts = await lintWebhooks(snapshot.webhooks);
  const ofAgents = await agentNotices(agents, {
    projectFolder: app.located.projectFile === null ? app.cwd : dirname(app.located.projectFile),
    env: app.env,
    prices: project.prices,
  });
  return {
    ...{ configuration, problems, notices, agents: ofAgents },
    doubts: [...doubts, ...startsWithoutApproval(snapshot.webhooks)],
  };
}

async function run(app: Services, { json }: JsonFlags): Promise<ExitCode> {
  const { io } = app;
  const { configuration, problems, notices, doubts, agents } = await inspectConfiguration(app);
  const all = [...notices, ...doubts, ...agents.map(({ text }) => text)];
  if (json === true) printJson(io, { ok: problems.length === 0, problems, notices: all });
  else {
    for (const notice of all) say(io.err, `note: ${notice}`);
    for (const problem of problems)
      say(io.err, `${paint(io.err, 'red', 'error:')} ${formatDiagnostic(problem)}`);
    if (problems.length > 0) say(io.err, countedNoun(problems.length, 'error'));
    else
      say(
        io.out,
        `${configuration?.snapshot.webhooks.length} webhooks: 0 errors, ${app.located.projectFile ?? 'no webhooks.yml, built-in webhooks only'}`,
      );
  }
  return problems.length === 0 ? 0 : 3;
}
