import { suggestion } from '../lib/suggest.ts';
import type { Issue, JsonObject } from '../types.ts';
import type { ValidCommand, ValidDefinition } from './schema.ts';

type Starts = NonNullable<ValidDefinition['starts']>;

/** An event that starts work, and what must hold of it. */
type Start = readonly [trigger: string, conditions: JsonObject];

/** Of a list that changed: the value came into it. */
function entered(list: string, key: string, value: string): JsonObject {
  const one = { $elemMatch: { [key]: value } };
  return { [`changes.${list}.current`]: one, [`changes.${list}.previous`]: { $not: one } };
}

/** What `starts` means at each provider. Source: the payloads of `providers/<name>/`. */
const STARTS: Readonly<
  Record<string, { readonly [Name in keyof Starts]?: (value: string) => readonly Start[] }>
> = {
  github: {
    label: (name) => ['issues.labeled', 'pull_request.labeled'].map((type) => [type, { 'label.name': name }]),
    assigned: (login) =>
      ['issues.assigned', 'pull_request.assigned'].map((type) => [type, { 'assignee.login': login }]),
    reviewRequested: (login) => [['pull_request.review_requested', { 'requested_reviewer.login': login }]],
  },
  gitlab: {
    label: (name) =>
      ['issue.update', 'merge_request.update'].map((type) => [type, entered('labels', 'title', name)]),
    assigned: (name) =>
      ['issue.update', 'merge_request.update'].map((type) => [type, entered('assignees', 'username', name)]),
    reviewRequested: (name) => [['merge_request.update', entered('reviewers', 'username', name)]],
  },
  jira: {
    transition: (status) => [
      ['jira:issue_updated', { 'changelog.items': { $elemMatch: { field: 'status', toString: status } } }],
    ],
    assigned: (account) => [
      ['jira:issue_updated', { 'changelog.items': { $elemMatch: { field: 'assignee', to: account } } }],
    ],
  },
};

/** Events by which each provider tells results of checks. */
const RESULTS: Readonly<Record<string, readonly string[]>> = {
  github: ['workflow_run.completed', 'check_run.completed', 'status', 'deployment_status.created'],
  gitlab: ['pipeline'],
  bitbucket: ['repo:commit_status_created', 'repo:commit_status_updated'],
};

/** The event by which each provider tells that a pull request was merged. */
const MERGED: Readonly<Record<string, readonly Start[]>> = {
  github: [['pull_request.closed', { 'pull_request.merged': true }]],
  gitea: [['pull_request.closed', { 'pull_request.merged': true }]],
  gitlab: [['merge_request.merge', {}]],
  bitbucket: [
    ['pullrequest:fulfilled', {}],
    ['pr:merged', {}],
  ],
};

/** A command that a field of the webhook switches on. */
interface Switched {
  readonly command: ValidCommand;
  /** The field where it is written. */
  readonly path: readonly string[];
}

interface SwitchedCommands {
  readonly switched: readonly Switched[];
  readonly issues: readonly Issue[];
}

/** The commands that `repair`, `starts` and `tellMerged` switch on, behind those that are written out. */
export function switchedCommands(definition: ValidDefinition): SwitchedCommands {
  const { repair, starts = {}, tellMerged = false, provider } = definition;
  const issues: Issue[] = [];
  const switched: Switched[] = [];
  if (repair !== undefined) {
    const { targetAgent, ...options } = repair;
    const triggers = RESULTS[provider] ?? [];
    if (triggers.length === 0) issues.push(notThere(['repair'], provider, Object.keys(RESULTS)));
    for (const trigger of triggers) {
      const command = {
        trigger,
        action: 'repair',
        options,
        ...(targetAgent !== undefined && { targetAgent }),
      };
      switched.push({ command, path: ['repair'] });
    }
  }
  const merged = tellMerged ? MERGED[provider] : [];
  if (merged === undefined) issues.push(notThere(['tellMerged'], provider, Object.keys(MERGED)));
  for (const [trigger, conditions] of merged ?? []) {
    const command = {
      ...{ trigger, conditions, action: 'comment', options: { in: 'flow' } },
      template: 'Merged: {{@event.title}}, {{@event.url}}',
    };
    switched.push({ command, path: ['tellMerged'] });
  }
  const usual = usualCommand(definition);
  for (const name of Object.keys(starts) as (keyof Starts)[]) {
    const value = starts[name];
    if (value === undefined) continue;
    const rows = STARTS[provider]?.[name]?.(value);
    const path = ['starts', name];
    if (rows === undefined) {
      const others = Object.keys(STARTS).filter((each) => STARTS[each]?.[name] !== undefined);
      issues.push(notThere(path, provider, others));
    }
    for (const [trigger, conditions] of rows ?? [])
      switched.push({ command: { ...usual, trigger, conditions }, path });
  }
  return { switched, issues };
}

/** What the default command does: work that a label starts is the same as that which `@agent` starts. */
function usualCommand({
  commands = [],
  defaultCommand,
}: ValidDefinition): Omit<ValidCommand, 'name' | 'aliases'> {
  const wanted = defaultCommand?.toLowerCase();
  const found = commands.find(({ name }) => name !== undefined && name.toLowerCase() === wanted);
  const { name: _, aliases: __, ...usual } = found ?? {};
  return usual;
}

function notThere(path: readonly string[], provider: string, others: readonly string[]): Issue {
  return {
    path,
    message: `hookctl does not know the events of ${provider} for it`,
    fix: `Write a command with a trigger instead. ${suggestion(provider, others)}`,
    atKey: true,
  };
}
