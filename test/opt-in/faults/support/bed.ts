import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECRET } from '../../../support/secret.ts';

/** A user with home, project, data folder and Claude folder of their own. */
export interface Bed {
  readonly hookctl: string;
  readonly root: string;
  readonly project: string;
  readonly dataFolder: string;
  /** `CLAUDE_CONFIG_DIR`. */
  readonly claudeFolder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command of hookctl to its end. */
  run(...args: readonly string[]): Promise<Ran>;
  /** Runs a command that must succeed, and returns what it printed as JSON (`--json` is added). */
  json<T>(...args: readonly string[]): Promise<T>;
  remove(): void;
}

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface BedOptions {
  readonly hookctl: string;
  /** Base URL of the GitHub that replies go to. */
  readonly github: string;
  /** A folder that exists, to be used in place of a new one. */
  readonly root?: string;
}

/** Tasks of this webhook stay in the store: thousands of files would only show how slow they are. */
const QUIET = `import { defineWebhook } from 'hookctl';

export default defineWebhook({
  name: 'quiet',
  provider: 'github',
  secretEnv: 'GITHUB_WEBHOOK_SECRET',
  syncToClaudeTasks: false,
  commands: [{ trigger: 'issues.labeled', template: 'Look at {{issue.title}}' }],
});
`;

/** Three things that a delivery can come to: a task, a task with files, a reply. */
function webhooksYml(github: string): string {
  const credentials = { github: { tokenEnv: 'GITHUB_TOKEN', baseUrl: github } };
  const commands = [
    { name: 'analyze', template: 'Analyze {{issue.title}}' },
    { name: 'say', action: 'comment', template: 'Heard about {{issue.number}}.' },
  ];
  return JSON.stringify({
    webhooks: { github: { secretEnv: 'GITHUB_WEBHOOK_SECRET', commands } },
    credentials,
  });
}

export function makeBed({ hookctl, github, root = newRoot() }: BedOptions): Bed {
  const [home, project, dataFolder, claudeFolder] = ['home', 'project', 'data', 'claude'].map((name) =>
    join(root, name),
  ) as [string, string, string, string];
  for (const folder of [home, claudeFolder, join(project, 'webhooks')])
    mkdirSync(folder, { recursive: true });
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  // A copy of a folder has the usual modes.
  chmodSync(dataFolder, 0o700);
  writeFileSync(join(project, 'webhooks.yml'), webhooksYml(github));
  writeFileSync(join(project, 'webhooks', 'quiet.ts'), QUIET);
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    HOOKCTL_HOME: dataFolder,
    CLAUDE_CONFIG_DIR: claudeFolder,
    GITHUB_WEBHOOK_SECRET: SECRET,
    GITHUB_TOKEN: 'token-of-github',
  };
  const run: Bed['run'] = (...args) => runIn({ project, env }, [hookctl, ...args]);
  return {
    hookctl,
    root,
    project,
    dataFolder,
    claudeFolder,
    env,
    run,
    async json<T>(...args: readonly string[]) {
      const { code, stdout, stderr } = await run(...args, '--json');
      if (code !== 0) throw new Error(`hookctl ${args.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout) as T;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export function newRoot(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-faults-')));
}

async function runIn({ project, env }: Pick<Bed, 'project' | 'env'>, args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { ...output, code, signal };
}
