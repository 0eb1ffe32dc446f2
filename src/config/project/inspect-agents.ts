import { findProgram } from '../../lib/process/find-program.ts';
import { type Environment, programEnvironment, startProcess } from '../../lib/process/subprocess.ts';
import type { Agent, Agents } from './agents.ts';
import type { Prices } from './schema.ts';

interface Surroundings {
  readonly projectFolder: string;
  readonly env: Environment;
  readonly prices: Prices;
}

/** `isDoubt`: a person should look at it. */
export interface AgentNotice {
  readonly text: string;
  readonly isDoubt: boolean;
}

/** A program that only prints its version is done by then. */
const VERSION_MS = 20_000;

/**
 * What a person should know of the agents' programs: versions, logins, and rules that a program cannot hold. Runs each with
 * `--version` and looks for files; asks no model.
 */
export async function agentNotices(
  { byName }: Agents,
  surroundings: Surroundings,
): Promise<readonly AgentNotice[]> {
  const all = await Promise.all([...byName.values()].map((agent) => noticesOf(agent, surroundings)));
  return all.flat();
}

async function noticesOf(
  agent: Agent,
  { projectFolder, env, prices }: Surroundings,
): Promise<readonly AgentNotice[]> {
  const { name, runner, options } = agent;
  const { facts } = runner;
  const of = (text: string, isDoubt: boolean): AgentNotice => ({ text: `agent ${name}: ${text}`, isDoubt });
  const rules = [...(runner.cannotHold?.(options) ?? []), ...unpriced(agent, prices)].map((text) =>
    of(text, true),
  );
  if (facts === undefined) return rules;
  const path = await findProgram(runner.program(options), projectFolder, env.PATH);
  const version = path === null ? null : await versionOf(path, env);
  const login = await facts.login(env);
  const isOld = version !== null && isOlder(version, facts.tested);
  return [
    of(
      version === null
        ? `${runner.name} does not say its version`
        : `${runner.name} ${version}${isOld ? `, older than ${facts.tested}, with which hookctl was tested` : ''}`,
      version === null || isOld,
    ),
    of(
      login === null
        ? `no login is found; unless it is in a keychain: ${facts.howToLogIn}`
        : `logged in by ${login}`,
      login === null,
    ),
    ...rules,
  ];
}

/** A budget in dollars needs a price where the program does not name its cost. */
function unpriced({ runner, options }: Agent, prices: Prices): readonly string[] {
  const { model } = options as typeof options & { readonly model?: string };
  const most = runner.mostUsd(options);
  if (most === null || ['claude', 'opencode'].includes(runner.name)) return [];
  if (model !== undefined && (model in prices || model.slice(model.lastIndexOf('/') + 1) in prices))
    return [];
  return [
    `budgetUsd: ${model ?? 'its model'} has no price in \`prices\`, so a run whose cost it does not name counts as $${most}`,
  ];
}

async function versionOf(program: string, env: Environment): Promise<string | null> {
  const running = await startProcess({
    ...{ program, args: ['--version'], env: programEnvironment(env), howToGet: '' },
    input: new Uint8Array(),
  });
  const timer = setTimeout(() => void running.stop(), VERSION_MS);
  await running.ended;
  clearTimeout(timer);
  return /\d+\.\d+\.\d+/.exec(running.lastLines().join('\n'))?.[0] ?? null;
}

function isOlder(version: string, tested: string): boolean {
  const [mine = [], theirs = []] = [version, tested].map((each) => each.split('.').map(Number));
  const at = theirs.findIndex((part, index) => part !== mine[index]);
  return at >= 0 && (mine[at] ?? 0) < (theirs[at] ?? 0);
}
