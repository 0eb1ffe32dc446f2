import type { CliCommand } from './command.ts';

/** A command as the help lists it; its module is read when it is called. */
export interface CliEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CliCommand>;
}

/** Every command, in the order of the help. One line each. */
export const commands: readonly CliEntry[] = [
  {
    name: 'init',
    summary: 'write a webhooks.yml and an example webhook',
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'check',
    summary: 'validate all configuration without serving',
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'serve',
    summary: 'receive webhooks and turn them into tasks',
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  {
    name: 'status',
    summary: 'what runs, what came in, what is wrong',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'trigger',
    summary: 'send a signed sample as a provider would',
    load: async () => (await import('./trigger.ts')).trigger,
  },
  {
    name: 'tunnel',
    summary: 'open a tunnel, see how it stands',
    load: async () => (await import('./tunnel/index.ts')).tunnel,
  },
  {
    name: 'webhook',
    summary: 'look at the webhooks, make and change dynamic ones',
    load: async () => (await import('./webhook/index.ts')).webhook,
  },
  {
    name: 'delivery',
    summary: 'look at deliveries, run a failed one again',
    load: async () => (await import('./delivery/index.ts')).delivery,
  },
  {
    name: 'task',
    summary: 'look at tasks, make them, say how they end',
    load: async () => (await import('./task/index.ts')).task,
  },
  {
    name: 'flow',
    summary: 'everything around one issue or thread, as a tree',
    load: async () => (await import('./flow/index.ts')).flow,
  },
  {
    name: 'conversation',
    summary: 'the tasks that share an agent’s context, with their totals',
    load: async () => (await import('./conversation/index.ts')).conversation,
  },
  {
    name: 'claude',
    summary: 'Claude Code’s task list: how it stands, point a project at it',
    load: async () => (await import('./claude/index.ts')).claude,
  },
  {
    name: 'sync',
    summary: 'bring Claude Code’s task files in line with the store now',
    load: async () => (await import('./sync.ts')).sync,
  },
  {
    name: 'outbox',
    summary: 'look at replies and forwards, send one again or drop it',
    load: async () => (await import('./outbox/index.ts')).outbox,
  },
  {
    name: 'audit',
    summary: 'who changed what',
    load: async () => (await import('./audit/index.ts')).audit,
  },
  {
    name: 'replay',
    summary: 'run stored deliveries or files as new ones',
    load: async () => (await import('./replay.ts')).replay,
  },
  {
    name: 'explain',
    summary: 'why each command fired or did not',
    load: async () => (await import('./explain.ts')).explainCommand,
  },
  {
    name: 'mcp',
    summary: 'the tools for agents (Model Context Protocol) on stdin and stdout',
    load: async () => (await import('./mcp.ts')).mcp,
  },
  {
    name: 'backup',
    summary: 'copy everything that is stored, also while serving',
    load: async () => (await import('./backup.ts')).backup,
  },
  {
    name: 'restore',
    summary: 'put a backup in the place of what is stored',
    load: async () => (await import('./restore.ts')).restore,
  },
  {
    name: 'token',
    summary: 'print the token of the management API',
    load: async () => (await import('./token.ts')).tokenCommand,
  },
  {
    name: 'api',
    summary: 'send a request to the management API of the running server',
    load: async () => (await import('./api.ts')).api,
  },
];
