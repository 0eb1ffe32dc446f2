import { dirname } from 'node:path';
import { agentFolder } from '../../agents/environment.ts';
import { runnerNamed } from '../../agents/index.ts';
import type { AgentRunner, CommonOptions } from '../../agents/runner.ts';
import { workspaceOf } from '../../agents/workspace/settings.ts';
import type { Diagnostic } from '../../errors.ts';
import { type Source, toDiagnostic } from '../../lib/diagnostics.ts';
import { findProgram } from '../../lib/process/find-program.ts';
import type { AccountDefaults, Issue } from '../../types.ts';
import type { ProjectConfig, RunLimits } from './schema.ts';

/** An agent that hookctl runs. */
export interface Agent {
  readonly name: string;
  readonly runner: AgentRunner;
  readonly options: CommonOptions;
  /** Where it works: absolute, with every link followed. */
  readonly folder: string;
}

/** The agents that hookctl runs by itself. */
export interface Agents {
  readonly byName: ReadonlyMap<string, Agent>;
  /** Programs that are not there: a mistake to `check`, while `serve` lets their tasks wait. */
  readonly missing: readonly Diagnostic[];
  /** Variables that hold secrets of webhooks or tokens of providers: no run gets them. */
  readonly secretNames: ReadonlySet<string>;
}

interface AgentParts {
  readonly project: ProjectConfig;
  readonly source: Source;
  /** Where the accounts of providers are found. */
  readonly accountDefaults: Iterable<AccountDefaults>;
  /** Variables from which webhooks have their secrets. */
  readonly webhookSecrets: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly dataFolder: string;
}

interface ResolvedAgents {
  readonly agents: Agents;
  readonly problems: readonly Diagnostic[];
}

/** Finds folders and programs of the agents, and what can't be run safely. */
export async function resolveAgents(parts: AgentParts): Promise<ResolvedAgents> {
  const { project, source, env } = parts;
  const secretNames = new Set([...parts.webhookSecrets, ...tokenVariables(parts)]);
  const projectFolder = dirname(source.file);
  const byName = new Map<string, Agent>();
  const issues: Issue[] = [];
  const missing: Issue[] = [];
  for (const [name, options] of Object.entries(project.agents)) {
    const runner = runnerNamed(options.use);
    if (runner === null) continue;
    const at = (issue: Issue): Issue => ({ ...issue, path: ['agents', name, ...issue.path] });
    const { sandbox } = options;
    const found = [
      ...runner.check(options),
      ...secretIssues(options, secretNames),
      ...budgetIssues(runner, options, project.runs),
      ...(sandbox === undefined ? [] : await sandboxProblems(options, parts.dataFolder)),
    ];
    issues.push(...found.map(at));
    const folder = await agentFolder(projectFolder, options.cwd);
    if (!folder.ok) issues.push(at({ path: ['cwd'], message: folder.message, fix: folder.fix }));
    else byName.set(name, { name, runner, options, folder: folder.path });
    const program = runner.program(options);
    if (sandbox?.image === undefined && (await findProgram(program, projectFolder, env.PATH)) === null)
      missing.push(at(absent(program)));
    if (sandbox === undefined) continue;
    const { sandboxLacks } = await import('../../agents/sandbox/sandbox.ts');
    const lacks = await sandboxLacks(sandbox, env);
    if (lacks !== null)
      missing.push(at({ path: ['sandbox'], ...lacks, message: `${lacks.message}, so its tasks wait` }));
  }
  const problem = (issue: Issue) => toDiagnostic(source, issue);
  return {
    agents: { byName, missing: missing.map(problem), secretNames },
    problems: issues.map(problem),
  };
}

async function sandboxProblems(options: CommonOptions, dataFolder: string): Promise<readonly Issue[]> {
  if (options.sandbox === undefined) return [];
  const { sandboxIssues } = await import('../../agents/sandbox/sandbox.ts');
  return sandboxIssues(options.sandbox, workspaceOf(options).use, dataFolder);
}

function absent(program: string): Issue {
  const fix = program.includes('/')
    ? 'Paths start at the project folder; the file has to be executable.'
    : 'Install it, or name it by its path: program: /path/to/it';
  return { path: ['program'], message: `there is no program ${program}, so its tasks wait`, fix };
}

function secretIssues({ env }: CommonOptions, secretNames: ReadonlySet<string>): readonly Issue[] {
  return env.flatMap((name, index) =>
    secretNames.has(name)
      ? [
          {
            path: ['env', index],
            message: `${name} is a secret of hookctl: an agent could be talked into telling it`,
            fix: 'Give the agent a token of its own, in a variable of its own.',
          },
        ]
      : [],
  );
}

function budgetIssues(runner: AgentRunner, options: CommonOptions, limits: RunLimits): readonly Issue[] {
  const most = runner.mostUsd(options) ?? 0;
  return (['perDay', 'perThread'] as const)
    .filter((budget) => limits[budget].runs > 0 && most > limits[budget].usd)
    .map((budget) => ({
      path: ['budgetUsd'],
      message: `a run may cost $${most}, but runs.${budget}.usd is ${limits[budget].usd}: none would ever start`,
      fix: `Lower budgetUsd, or raise runs.${budget}.usd.`,
    }));
}

function tokenVariables({ project, accountDefaults }: AgentParts): readonly string[] {
  const { tunnel, credentials, slack } = project;
  const named = Object.values(credentials).flatMap(({ tokenEnv, urlEnv }) => [tokenEnv, urlEnv]);
  const usual = [...accountDefaults].map(({ tokenEnv }) => tokenEnv);
  const ofTunnel = Object.entries(tunnel ?? {}).map(([key, value]) =>
    key.endsWith('Env') ? String(value) : null,
  );
  return [...named, ...usual, ...ofTunnel, slack.tokenEnv].filter((name) => typeof name === 'string');
}
