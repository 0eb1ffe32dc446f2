import type { CliCommand } from './kit/command.ts';

/** A command; its module is read when it is called. */
export interface Verb {
  readonly name: string;
  readonly load: () => Promise<CliCommand>;
}

/** A command that has subcommands, in the order of the help. */
export interface Group {
  readonly name: string;
  readonly summary: string;
  /** What it does without a subcommand. */
  readonly own?: () => Promise<CliCommand>;
  readonly subcommands: readonly (Verb | Group)[];
}

/** A command of the first level. */
type CliEntry = (Verb | Group) & {
  readonly summary: string;
  /** Heading under which the help lists it. */
  readonly group: 'Start' | 'Webhooks' | 'Deliveries' | 'Tasks' | 'Upkeep';
  /** It works with the data folder and the machine, so that it is refused where a token of an owner is meant to be used. */
  readonly needsFolder?: true;
};

/** Every command, in the order of the help. */
export const commands: readonly CliEntry[] = [
  {
    name: 'init',
    group: 'Start',
    summary: 'write a webhooks.yml and an example webhook',
    load: async () => (await import('./init.ts')).configureInit,
  },
  {
    name: 'check',
    group: 'Start',
    needsFolder: true,
    summary: 'validate all configuration without serving',
    load: async () => (await import('./check.ts')).configureCheck,
  },
  {
    name: 'doctor',
    group: 'Start',
    needsFolder: true,
    summary: 'look at this installation: what is wrong, what to type',
    load: async () => (await import('./doctor/doctor.ts')).configureDoctor,
  },
  {
    name: 'trust',
    group: 'Start',
    summary: 'trust a project folder that others can write to',
    load: async () => (await import('./trust.ts')).configureTrust,
  },
  {
    name: 'serve',
    group: 'Start',
    needsFolder: true,
    summary: 'receive webhooks and turn them into tasks',
    load: async () => (await import('./serve/serve.ts')).configureServe,
  },
  {
    name: 'status',
    group: 'Start',
    summary: 'show the server, webhooks, tasks and problems',
    load: async () => (await import('./status.ts')).configureStatus,
  },
  {
    name: 'dashboard',
    group: 'Start',
    summary: 'open the dashboard of the running server',
    load: async () => (await import('./dashboard.ts')).configureDashboard,
  },
  {
    name: 'trigger',
    group: 'Start',
    needsFolder: true,
    summary: 'send a signed sample event to the running server',
    load: async () => (await import('./trigger/trigger.ts')).configureTrigger,
  },
  {
    name: 'recover',
    group: 'Start',
    summary: 'take in what senders sent and never arrived',
    load: async () => (await import('./recover.ts')).configureRecover,
  },
  {
    name: 'tunnel',
    group: 'Start',
    summary: 'open a tunnel, show its state',
    subcommands: [
      { name: 'list', load: async () => (await import('./tunnel/list.ts')).configureList },
      { name: 'open', load: async () => (await import('./tunnel/open.ts')).configureOpen },
      { name: 'status', load: async () => (await import('./tunnel/status.ts')).configureStatus },
      { name: 'new', load: async () => (await import('./tunnel/open.ts')).configureNew },
    ],
  },
  {
    name: 'webhook',
    group: 'Webhooks',
    summary: 'list, add and edit webhooks',
    subcommands: [
      { name: 'add', load: async () => (await import('./webhook/add.ts')).configureAdd },
      { name: 'list', load: async () => (await import('./webhook/list.ts')).configureList },
      { name: 'show', load: async () => (await import('./webhook/show.ts')).configureShow },
      { name: 'edit', load: async () => (await import('./webhook/edit.ts')).configureEdit },
      { name: 'enable', load: async () => (await import('./webhook/switch.ts')).configureEnable },
      { name: 'disable', load: async () => (await import('./webhook/switch.ts')).configureDisable },
      { name: 'remove', load: async () => (await import('./webhook/switch.ts')).configureRemove },
      { name: 'compare', load: async () => (await import('./webhook/compare.ts')).configureCompare },
      { name: 'try', load: async () => (await import('./webhook/try.ts')).configureTry },
      { name: 'guess', load: async () => (await import('./webhook/guess.ts')).configureGuess },
      {
        name: 'rotate-secret',
        load: async () => (await import('./webhook/rotate-secret.ts')).configureRotateSecret,
      },
      {
        name: 'command',
        summary: 'list, add, edit and remove the commands of a webhook',
        subcommands: [
          { name: 'add', load: async () => (await import('./webhook/command/add.ts')).configureCommandAdd },
          {
            name: 'list',
            load: async () => (await import('./webhook/command/list.ts')).configureCommandList,
          },
          {
            name: 'edit',
            load: async () => (await import('./webhook/command/edit.ts')).configureCommandEdit,
          },
          {
            name: 'remove',
            load: async () => (await import('./webhook/command/remove.ts')).configureCommandRemove,
          },
        ],
      },
      { name: 'await', load: async () => (await import('./webhook/await.ts')).configureAwait },
      { name: 'export', load: async () => (await import('./webhook/export.ts')).configureExport },
      { name: 'import', load: async () => (await import('./webhook/import.ts')).configureImport },
      { name: 'convert', load: async () => (await import('./webhook/adnanh/convert.ts')).configureConvert },
      { name: 'restore', load: async () => (await import('./webhook/import.ts')).configureRestore },
    ],
  },
  {
    name: 'connect',
    group: 'Webhooks',
    summary: 'make hooks at senders, and keep them pointed here',
    own: async () => (await import('./connect/connect.ts')).configureConnect,
    subcommands: [
      { name: 'list', load: async () => (await import('./connect/list.ts')).configureList },
      { name: 'check', load: async () => (await import('./connect/check.ts')).configureCheck },
      { name: 'remove', load: async () => (await import('./connect/remove.ts')).configureRemove },
    ],
  },
  {
    name: 'delivery',
    group: 'Deliveries',
    summary: 'list, show, retry and prune deliveries',
    subcommands: [
      { name: 'list', load: async () => (await import('./delivery/list.ts')).configureList },
      { name: 'show', load: async () => (await import('./delivery/show.ts')).configureShow },
      { name: 'prune', load: async () => (await import('./delivery/prune.ts')).configurePrune },
      { name: 'retry', load: async () => (await import('./delivery/retry.ts')).configureRetry },
    ],
  },
  {
    name: 'explain',
    group: 'Deliveries',
    summary: 'show why each command fired or did not',
    load: async () => (await import('./explain.ts')).configureExplain,
  },
  {
    name: 'replay',
    group: 'Deliveries',
    summary: 'process stored deliveries or files again',
    load: async () => (await import('./replay/replay.ts')).configureReplay,
  },
  {
    name: 'outbox',
    group: 'Deliveries',
    summary: 'list, retry and drop replies and forwards',
    subcommands: [
      { name: 'list', load: async () => (await import('./outbox/list.ts')).configureList },
      { name: 'retry', load: async () => (await import('./outbox/change.ts')).configureRetry },
      { name: 'drop', load: async () => (await import('./outbox/change.ts')).configureDrop },
    ],
  },
  {
    name: 'task',
    group: 'Tasks',
    summary: 'list, create and update tasks',
    subcommands: [
      { name: 'list', load: async () => (await import('./task/list.ts')).configureList },
      { name: 'show', load: async () => (await import('./task/show.ts')).configureShow },
      { name: 'logs', load: async () => (await import('./task/logs.ts')).configureLogs },
      { name: 'create', load: async () => (await import('./task/create.ts')).configureCreate },
      { name: 'start', load: async () => (await import('./task/change.ts')).configureStep('start') },
      { name: 'complete', load: async () => (await import('./task/change.ts')).configureComplete },
      { name: 'fail', load: async () => (await import('./task/change.ts')).configureFail },
      { name: 'cancel', load: async () => (await import('./task/cancel.ts')).configureCancel },
      { name: 'approve', load: async () => (await import('./task/change.ts')).configureStep('approve') },
      { name: 'answer', load: async () => (await import('./task/change.ts')).configureAnswer },
      { name: 'release', load: async () => (await import('./task/change.ts')).configureRelease },
      { name: 'retry', load: async () => (await import('./task/change.ts')).configureStep('retry') },
      { name: 'link', load: async () => (await import('./task/link.ts')).configureLink },
      { name: 'attach', load: async () => (await import('./task/attach.ts')).configureAttach },
      { name: 'detach', load: async () => (await import('./task/attach.ts')).configureDetach },
      { name: 'prune', load: async () => (await import('./task/prune.ts')).configurePrune },
    ],
  },
  {
    name: 'flow',
    group: 'Tasks',
    summary: 'list, show and unlink flows: all tasks of one issue or thread',
    subcommands: [
      { name: 'list', load: async () => (await import('./flow/list.ts')).configureList },
      { name: 'show', load: async () => (await import('./flow/show.ts')).configureShow },
      { name: 'unlink', load: async () => (await import('./flow/unlink.ts')).configureUnlink },
    ],
  },
  {
    name: 'conversation',
    group: 'Tasks',
    summary: 'list and show conversations: tasks that share context',
    subcommands: [
      { name: 'list', load: async () => (await import('./conversation/list.ts')).configureList },
      { name: 'show', load: async () => (await import('./conversation/show.ts')).configureShow },
    ],
  },
  {
    name: 'workspace',
    group: 'Tasks',
    needsFolder: true,
    summary: 'list, open and remove the checkouts of agents',
    subcommands: [
      { name: 'list', load: async () => (await import('./workspace.ts')).configureList },
      { name: 'open', load: async () => (await import('./workspace.ts')).configureOpen },
      { name: 'remove', load: async () => (await import('./workspace.ts')).configureRemove },
      { name: 'prune', load: async () => (await import('./workspace.ts')).configurePrune },
    ],
  },
  {
    name: 'schedule',
    group: 'Tasks',
    summary: 'list, pause and run scheduled tasks',
    subcommands: [
      { name: 'list', load: async () => (await import('./schedule.ts')).configureList },
      { name: 'pause', load: async () => (await import('./schedule.ts')).configurePause },
      { name: 'resume', load: async () => (await import('./schedule.ts')).configureResume },
      { name: 'run', load: async () => (await import('./schedule.ts')).configureRun },
    ],
  },
  {
    name: 'spend',
    group: 'Tasks',
    summary: 'show what runs cost, by agent, webhook or person',
    load: async () => (await import('./spend.ts')).configureSpend,
  },
  {
    name: 'stats',
    group: 'Tasks',
    summary: 'show rates, success, times and cost by webhook, command, agent, owner or variant',
    load: async () => (await import('./stats.ts')).configureStats,
  },
  {
    name: 'claude',
    group: 'Tasks',
    needsFolder: true,
    summary: 'show Claude Code’s task list, use it in a project',
    subcommands: [
      { name: 'status', load: async () => (await import('./claude/status.ts')).configureStatus },
      { name: 'install', load: async () => (await import('./claude/install.ts')).configureInstall },
      { name: 'uninstall', load: async () => (await import('./claude/install.ts')).configureUninstall },
      { name: 'watch', load: async () => (await import('./claude/watch.ts')).configureWatch },
    ],
  },
  {
    name: 'sync',
    group: 'Tasks',
    summary: 'synchronize Claude Code’s task files with the store',
    load: async () => (await import('./sync.ts')).configureSync,
  },
  {
    name: 'mcp',
    group: 'Tasks',
    needsFolder: true,
    summary: 'serve MCP tools for agents on stdin and stdout',
    load: async () => (await import('./mcp.ts')).configureMcp,
  },
  {
    name: 'git-credential',
    group: 'Tasks',
    summary: 'give git in an agent’s run a token of the GitHub App',
    load: async () => (await import('./git-credential.ts')).configureGitCredential,
  },
  {
    name: 'audit',
    group: 'Upkeep',
    summary: 'list changes and who made them',
    subcommands: [{ name: 'list', load: async () => (await import('./audit/list.ts')).configureList }],
  },
  {
    name: 'backup',
    group: 'Upkeep',
    needsFolder: true,
    summary: 'back up the data folder, also while serving',
    load: async () => (await import('./backup.ts')).configureBackup,
  },
  {
    name: 'restore',
    group: 'Upkeep',
    needsFolder: true,
    summary: 'replace the stored data with a backup',
    load: async () => (await import('./restore.ts')).configureRestore,
  },
  {
    name: 'store',
    group: 'Upkeep',
    needsFolder: true,
    summary: 'show where data is kept, copy it between folder and database',
    subcommands: [
      { name: 'status', load: async () => (await import('./store/status.ts')).configureStatus },
      { name: 'copy', load: async () => (await import('./store/copy.ts')).configureCopy },
      { name: 'import', load: async () => (await import('./store/import.ts')).configureImport },
    ],
  },
  {
    name: 'machine',
    group: 'Upkeep',
    needsFolder: true,
    summary: 'list the servers that share one database',
    subcommands: [{ name: 'list', load: async () => (await import('./machine/list.ts')).configureList }],
  },
  {
    name: 'service',
    group: 'Upkeep',
    needsFolder: true,
    summary: 'run hookctl as a service of this user',
    subcommands: [
      { name: 'install', load: async () => (await import('./service/service.ts')).configureInstall },
      { name: 'status', load: async () => (await import('./service/service.ts')).configureStatus },
      { name: 'logs', load: async () => (await import('./service/service.ts')).configureLogs },
      { name: 'restart', load: async () => (await import('./service/service.ts')).configureRestart },
      { name: 'uninstall', load: async () => (await import('./service/service.ts')).configureUninstall },
    ],
  },
  {
    name: 'schema',
    group: 'Upkeep',
    summary: 'print the JSON Schema of webhooks.yml',
    load: async () => (await import('./schema.ts')).configureSchema,
  },
  {
    name: 'completion',
    group: 'Upkeep',
    summary: 'print the completions of bash, zsh or fish',
    load: async () => (await import('./completion/completion.ts')).configureCompletion,
  },
  {
    name: 'bug-report',
    group: 'Upkeep',
    needsFolder: true,
    summary: 'gather what a maintainer needs, without secrets',
    load: async () => (await import('./doctor/bug-report.ts')).configureBugReport,
  },
  {
    name: 'token',
    group: 'Upkeep',
    summary: 'print the token of the management API; make, list, revoke tokens of owners',
    own: async () => (await import('./token.ts')).configureToken,
    subcommands: [
      { name: 'create', load: async () => (await import('./token.ts')).configureCreate },
      { name: 'list', load: async () => (await import('./token.ts')).configureList },
      { name: 'revoke', load: async () => (await import('./token.ts')).configureRevoke },
    ],
  },
  {
    name: 'api',
    group: 'Upkeep',
    summary: 'send a request to the running server’s management API',
    load: async () => (await import('./api.ts')).configureApi,
  },
];
