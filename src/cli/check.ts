import { dirname } from 'node:path';
import { lintWebhooks, startsWithoutApproval } from '../config/lint.ts';
import { agentNotices } from '../config/project/inspect-agents.ts';
import { secretProblems } from '../config/secrets.ts';
import { ConfigError, type ExitCode, formatDiagnostic } from '../errors.ts';
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

async function run(app: Services, { json }: JsonFlags): Promise<ExitCode> {
  const { io } = app;
  try {
    const { snapshot, notices, dynamic, agents, project, repositories } = await app.configuration({
      runModules: true,
    });
    // `serve` would use the last valid copy; `check` reports the file itself.
    if (dynamic.refused.length > 0) throw new ConfigError(dynamic.refused);
    const missing = [...agents.missing, ...repositories.missing];
    if (missing.length > 0) throw new ConfigError(missing);
    const useless = secretProblems(snapshot.webhooks);
    if (useless.length > 0) throw new ConfigError(useless);
    const doubts = await lintWebhooks(snapshot.webhooks);
    const ofAgents = await agentNotices(agents, {
      projectFolder: app.located.projectFile === null ? app.cwd : dirname(app.located.projectFile),
      env: app.env,
      prices: project.prices,
    });
    const all = [...notices, ...doubts, ...startsWithoutApproval(snapshot.webhooks), ...ofAgents];
    if (json === true) printJson(io, { ok: true, problems: [], notices: all });
    else {
      for (const notice of all) say(io.err, `note: ${notice}`);
      say(
        io.out,
        `${snapshot.webhooks.length} webhooks: 0 errors, ${app.located.projectFile ?? 'no webhooks.yml, built-in webhooks only'}`,
      );
    }
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (json === true) printJson(io, { ok: false, problems: error.problems, notices: [] });
    else
      for (const problem of error.problems)
        say(io.err, `${paint(io.err, 'red', 'error:')} ${formatDiagnostic(problem)}`);
    const { length } = error.problems;
    if (json !== true) say(io.err, countedNoun(length, 'error'));
    return error.exitCode;
  }
}
