import type { CliCommand } from './kit/command.ts';

/** A command as the help lists it; its module is read when it is called. */
interface CliEntry {
  readonly name: string;
  /** Under which heading the help lists it. */
  readonly group: 'Start' | 'Webhooks' | 'Deliveries' | 'Tasks' | 'Upkeep';
  readonly summary: string;
  readonly load: () => Promise<CliCommand>;
}

/** Every command, in the order of the help. One line each. */
export const commands: readonly CliEntry[] = [
  {
    name: 'init',
    group: 'Start',
    summary: 'write a webhooks.yml and an example webhook',
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'check',
    group: 'Start',
    summary: 'validate all configuration without serving',
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'trust',
    group: 'Start',
    summary: 'use a webhooks.yml and modules that others can write to',
    load: async () => (await import('./trust.ts')).trust,
  },
  {
    name: 'serve',
    group: 'Start',
    summary: 'receive webhooks and turn them into tasks',
    load: async () => (await import('./serve/serve.ts')).serveCommand,
  },
  {
    name: 'status',
    group: 'Start',
    summary: 'what runs, what came in, what is wrong',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'trigger',
    group: 'Start',
    summary: 'send a signed sample as a provider would',
    load: async () => (await import('./trigger/trigger.ts')).trigger,
  },
  {
    name: 'tunnel',
    group: 'Start',
    summary: 'open a tunnel, see its state',
    load: async () => (await import('./tunnel/index.ts')).tunnel,
  },
  {
    name: 'webhook',
    group: 'Webhooks',
    summary: 'list, add and change webhooks',
    load: async () => (await import('./webhook/index.ts')).webhook,
  },
  {
    name: 'delivery',
    group: 'Deliveries',
    summary: 'list and show deliveries, run a failed one again',
    load: async () => (await import('./delivery/index.ts')).delivery,
  },
  {
    name: 'explain',
    group: 'Deliveries',
    summary: 'why each command fired or did not',
    load: async () => (await import('./explain.ts')).explainCommand,
  },
  {
    name: 'replay',
    group: 'Deliveries',
    summary: 'run stored deliveries or files as new ones',
    load: async () => (await import('./replay/replay.ts')).replay,
  },
  {
    name: 'outbox',
    group: 'Deliveries',
    summary: 'list replies and forwards, send one again or drop it',
    load: async () => (await import('./outbox/index.ts')).outbox,
  },
  {
    name: 'task',
    group: 'Tasks',
    summary: 'list, create and update tasks',
    load: async () => (await import('./task/index.ts')).task,
  },
  {
    name: 'flow',
    group: 'Tasks',
    summary: 'everything around one issue or thread, as a tree',
    load: async () => (await import('./flow/index.ts')).flow,
  },
  {
    name: 'conversation',
    group: 'Tasks',
    summary: 'tasks that share an agent’s context, with their totals',
    load: async () => (await import('./conversation/index.ts')).conversation,
  },
  {
    name: 'claude',
    group: 'Tasks',
    summary: 'Claude Code’s task list: its state, point a project at it',
    load: async () => (await import('./claude/index.ts')).claude,
  },
  {
    name: 'sync',
    group: 'Tasks',
    summary: 'bring Claude Code’s task files in line with the store',
    load: async () => (await import('./sync.ts')).sync,
  },
  {
    name: 'mcp',
    group: 'Tasks',
    summary: 'tools for agents (Model Context Protocol), on stdin and stdout',
    load: async () => (await import('./mcp.ts')).mcp,
  },
  {
    name: 'audit',
    group: 'Upkeep',
    summary: 'who changed what',
    load: async () => (await import('./audit/index.ts')).audit,
  },
  {
    name: 'backup',
    group: 'Upkeep',
    summary: 'copy everything that is stored, also while serving',
    load: async () => (await import('./backup.ts')).backup,
  },
  {
    name: 'restore',
    group: 'Upkeep',
    summary: 'put a backup in the place of what is stored',
    load: async () => (await import('./restore.ts')).restore,
  },
  {
    name: 'token',
    group: 'Upkeep',
    summary: 'print the token of the management API',
    load: async () => (await import('./token.ts')).tokenCommand,
  },
  {
    name: 'api',
    group: 'Upkeep',
    summary: 'send a request to the running server’s management API',
    load: async () => (await import('./api.ts')).api,
  },
];
