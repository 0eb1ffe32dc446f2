import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { entryUrl, FROM_SOURCE, hookctlVersion, PACKAGE_ROOT } from '../../package-root.ts';
import { DATA_FOLDER, PROJECT_FILE, prepareDataFolder } from './locate.ts';
import { projectSchemaText } from './schema.ts';

/** What `hookctl init` writes as webhooks.yml: every line that is not a comment is the default. */
const PROJECT_TEMPLATE = `# yaml-language-server: $schema=./.hookctl/webhooks.schema.json
#
# hookctl: settings of this project. Everything here is optional; \`hookctl check\` validates it.

# Where deliveries arrive, and where the CLI reaches the server (loopback only).
ingress: { host: 127.0.0.1, port: 8000 }
management: { port: 8001 }

# The public address under which senders reach the ingress port, if you have one.
# publicUrl: https://hooks.example.com

# Your own webhooks, in TypeScript.
static: ./webhooks/*.ts

# Changes to the built-in webhooks. Without secretEnv a secret is generated into .hookctl/.
# webhooks:
#   github:
#     secretEnv: GITHUB_WEBHOOK_SECRET
#     commandPrefix: "@agent"
#     targetAgent: brain
#     allow: { associations: [OWNER, MEMBER] }

# Tasks in Claude Code's task directory; the list has the name of this folder unless you set list.
claudeTasks: { enabled: true, record: true }

# Whom hookctl runs by itself, by the agent that a task is for. Without an entry tasks wait for you.
# agents:
#   brain: { use: claude, cwd: ., model: sonnet, timeout: 20m, allowedTools: [Edit, "Bash(npm test:*)"], budgetUsd: 2 }
# runs: { concurrency: 4, perDay: { runs: 100, usd: 20 }, perThread: { runs: 10, usd: 5 } }
`;

/** What `hookctl init` writes as webhooks/example.ts. */
const EXAMPLE_WEBHOOK = `import { defineWebhook } from 'hookctl';

/**
 * An example: GitHub issues with the label \`bug\` become tasks, and \`@agent triage …\` in a comment makes one by hand.
 * It answers on its own endpoint, with a secret of its own: type \`hookctl serve\` to see both.
 */
export default defineWebhook({
  name: 'bugs',
  provider: 'github',
  endpoint: '/webhooks/bugs',
  commands: [
    {
      trigger: 'issues.opened',
      conditions: { 'issue.labels.name': 'bug' },
      template: 'Reproduce and explain: {{issue.title}}\\n\\n{{issue.body}}',
    },
    {
      name: 'triage',
      aliases: ['sort'],
      targetAgent: 'planning',
      template: 'Triage {{@event.title}} ({{@event.url}})\\n\\n{{@argument}}',
    },
  ],
  defaultCommand: 'triage',
});
`;

/** Names relative to the folder. */
interface Scaffolded {
  readonly written: readonly string[];
  /** Files that were there already and stay as they are. */
  readonly kept: readonly string[];
}

/**
 * Makes a folder a hookctl project (`hookctl init`): webhooks.yml, an example webhook, and what an editor needs to
 * know their fields. Files of the user are never overwritten; the two in the data folder belong to hookctl and are
 * brought up to date with the installation that runs.
 */
export async function scaffold(folder: string): Promise<Scaffolded> {
  await prepareDataFolder(join(folder, DATA_FOLDER));
  const results = [
    await writeNew(folder, PROJECT_FILE, PROJECT_TEMPLATE),
    await writeNew(folder, 'webhooks/example.ts', EXAMPLE_WEBHOOK),
    await writeNew(folder, 'tsconfig.json', json(editorSettings())),
    await writeNew(folder, 'package.json', json(packageSettings())),
    await refresh(folder, `${DATA_FOLDER}/webhooks.schema.json`, projectSchemaText()),
    await refresh(folder, TYPES, `export * from ${JSON.stringify(ownTypes())};\n`),
  ];
  return {
    written: results.flatMap(({ name, isNew }) => (isNew ? name : [])),
    kept: results.flatMap(({ name, isNew }) => (isNew ? [] : name)),
  };
}

interface Result {
  readonly name: string;
  readonly isNew: boolean;
}

async function writeNew(folder: string, name: string, content: string): Promise<Result> {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, content, { flag: 'wx' });
    return { name, isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return { name, isNew: false };
  }
}

async function refresh(folder: string, name: string, content: string): Promise<Result> {
  const file = join(folder, name);
  const before = await readFile(file, 'utf8').catch(() => null);
  if (before === content) return { name, isNew: false };
  await writeFileAtomic(file, content, { durable: false });
  return { name, isNew: true };
}

/** In the data folder, which is not committed: types of the installation that ran `init`. */
const TYPES = `${DATA_FOLDER}/hookctl.d.ts`;

/**
 * How an editor reads `webhooks/*.ts`, in the words of what Node can run. The user commits this file, so it names nothing
 * of this machine: where the data folder is missing (in a colleague's clone), TypeScript goes on to node_modules.
 */
function editorSettings(): object {
  return {
    compilerOptions: {
      target: 'es2024',
      module: 'preserve',
      strict: true,
      noEmit: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      paths: { hookctl: [`./${TYPES}`] },
    },
    include: ['webhooks'],
  };
}

/** For a folder without a package.json: `npm install` then brings the types to everybody who clones it. */
function packageSettings(): object {
  return { private: true, devDependencies: { hookctl: `^${hookctlVersion()}` } };
}

function ownTypes(): string {
  return fileURLToPath(FROM_SOURCE ? entryUrl('index') : new URL('dist/index.d.ts', PACKAGE_ROOT));
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
