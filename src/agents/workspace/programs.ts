import { failure } from '../../errors.ts';
import { describeEnd, type Environment, programEnvironment } from '../../lib/process/subprocess.ts';
import { startBounded } from '../bounded.ts';
import type { CommonOptions, LogLine, Sandbox } from '../runner.ts';
import type { Workspace } from './record.ts';
import { workspaceOf } from './settings.ts';

/** An agent, as far as its workspaces are concerned. */
export interface Tenant {
  readonly name: string;
  readonly options: CommonOptions;
  /** Where it would work without a workspace of its own: absolute, real. */
  readonly folder: string;
}

/** Around the programs of a setup or teardown. */
export interface ProgramSteps {
  readonly agent: Tenant;
  readonly sandbox: Sandbox | null;
  /** By which their processes are known. */
  readonly runId: string;
  readonly log: (line: LogLine) => void;
  readonly signal: AbortSignal;
  readonly env: Environment;
  /** Variables that they do not get. */
  readonly secretNames: ReadonlySet<string>;
}

/** Most output of one program, in megabytes. */
const OUTPUT_MB = 20;

/** Runs the programs of a workspace one after the other. Throws `setup` or `teardown` when one fails. */
export async function runPrograms(
  step: 'setup' | 'teardown',
  { id, path, conversationId, flowId, branch }: Workspace,
  { agent, sandbox, runId, log, signal, env, secretNames }: ProgramSteps,
): Promise<void> {
  const { timeout, [step]: programs } = workspaceOf(agent.options);
  const passed = Object.entries(programEnvironment(sandbox?.env ?? env, ...agent.options.env)).filter(
    ([name]) => !secretNames.has(name),
  );
  const own = { HOOKCTL_CONVERSATION_ID: conversationId, HOOKCTL_FLOW_ID: flowId, HOOKCTL_BRANCH: branch };
  for (const [program = '', ...args] of programs) {
    signal.throwIfAborted();
    log({ kind: 'note', text: `${step}: ${[program, ...args].join(' ')}` });
    const limits = { run: { id: runId }, folder: path, sandbox, options: { timeout, outputMb: OUTPUT_MB } };
    const running = await startBounded(limits, {
      program,
      args,
      env: { ...Object.fromEntries(passed), ...own, HOOKCTL_WORKSPACE: id, HOOKCTL_RUN_ID: runId },
      howToGet: `Install it, or correct workspace.${step} of the agent ${agent.name}.`,
      onLine: (text) => log({ kind: 'output', text }),
    });
    const stop = () => running.stop('the run was stopped');
    signal.addEventListener('abort', stop, { once: true });
    const end = await running.ended;
    signal.removeEventListener('abort', stop);
    if (end.code === 0 && end.why === null) continue;
    const how = end.why === null ? describeEnd(program, end, end.lastLines) : `${program}: ${end.why}`;
    throw failure(step, `the ${step} of the workspace failed: ${how}`, {
      fix: `Correct workspace.${step} of the agent ${agent.name}.`,
    });
  }
}
