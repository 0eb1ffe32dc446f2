import type { App, AppFlags } from '../app.ts';
import { ConfigError, type ExitCode, formatProblem } from '../errors.ts';
import { paint, say } from '../lib/io.ts';
import { type CliCommand, examples } from './command.ts';
import { printJson } from './print.ts';

interface CheckFlags extends AppFlags {
  readonly json?: boolean;
}

export const check: CliCommand = {
  configure(command, runner) {
    command
      .option('--json', 'print { ok, problems, notices } on stdout')
      .addHelpText('after', examples('hookctl check', 'hookctl check --json | jq .problems'))
      .action((flags: CheckFlags) => runner.run(command.optsWithGlobals(), (app) => run(app, flags)));
  },
};

async function run(app: App, { json }: CheckFlags): Promise<ExitCode> {
  const { io } = app;
  try {
    const { snapshot, notices } = await app.configuration();
    if (json === true) printJson(io, { ok: true, problems: [], notices });
    else {
      for (const notice of notices) say(io.err, `note: ${notice}`);
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
        say(io.err, `${paint(io.err, 'red', 'error:')} ${formatProblem(problem)}`);
    if (json !== true) say(io.err, `${error.problems.length} errors`);
    return error.exitCode;
  }
}
