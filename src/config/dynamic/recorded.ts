import { type Actor, type JsonObject, OPERATOR } from '../../types.ts';
import type { DbCommand, DbState, DbWebhook } from './schema.ts';

/** What an edit of the db does, in terms of the audit: names of fields, never their values. */
interface DbChange {
  /** `webhook.add`, `webhook.rotate_secret`, `command.edit`, … */
  readonly what: string;
  /** The webhook's id. */
  readonly target: string;
  /** The webhook's, after the edit. */
  readonly owner: string;
  readonly details: JsonObject;
}

/** An edit that is about to be written, or that could not be. */
export interface DbEdit {
  /** Revision of the file. */
  readonly after: string;
  readonly changes: readonly DbChange[];
}

/** Puts an edit on record, and resolves when it is. `actor`: who asked for it; null for the user of this process. */
export type RecordEdit = (edit: DbEdit, actor: Actor | null) => Promise<void>;

/** What is different, webhook by webhook. Those that are the same object are not looked into. */
export function changesBetween(before: DbState, after: DbState): readonly DbChange[] {
  const former = new Map(before.webhooks.map((webhook) => [webhook.webhook_id, webhook]));
  const latter = new Set(after.webhooks.map(({ webhook_id }) => webhook_id));
  return [
    ...after.webhooks.flatMap((webhook) => {
      const was = former.get(webhook.webhook_id);
      if (was === webhook) return [];
      return was === undefined
        ? [change('webhook.add', webhook, addition(webhook))]
        : changesOf(was, webhook);
    }),
    ...before.webhooks
      .filter(({ webhook_id }) => !latter.has(webhook_id))
      .map((webhook) => change('webhook.remove', webhook)),
  ];
}

function addition({ provider, commands }: DbWebhook): JsonObject {
  return { provider, commands: commands.map(commandDetails) };
}

/** Fields that differ without meaning anything. */
const TIMES = ['updated_at', 'created_at'];

function changesOf(was: DbWebhook, is: DbWebhook): readonly DbChange[] {
  const fields = differing(was, is).filter(
    (name) => ![...TIMES, 'commands', 'enabled', 'secrets'].includes(name),
  );
  return [
    ...(was.enabled === is.enabled
      ? []
      : [change(is.enabled === false ? 'webhook.disable' : 'webhook.enable', is)]),
    ...(same(was.secrets, is.secrets)
      ? []
      : [change('webhook.rotate_secret', is, { secrets: is.secrets.length })]),
    ...(fields.length === 0 ? [] : [change('webhook.edit', is, { fields })]),
    ...commandChanges(was, is),
  ];
}

function commandChanges(was: DbWebhook, is: DbWebhook): readonly DbChange[] {
  const former = new Map(was.commands.map((command) => [command.id, command]));
  const latter = new Set(is.commands.map(({ id }) => id));
  return [
    ...is.commands.flatMap((command) => {
      const old = former.get(command.id);
      if (old === undefined) return [change('command.add', is, commandDetails(command))];
      if (same(old, command)) return [];
      return [change('command.edit', is, { ...commandDetails(command), fields: differing(old, command) })];
    }),
    ...was.commands
      .filter(({ id }) => !latter.has(id))
      .map((command) => change('command.remove', is, commandDetails(command))),
  ];
}

/** Which command it is and what it does; its options may hold anything and stay out. */
function commandDetails({ id, name, trigger, action }: DbCommand): JsonObject {
  return {
    id,
    ...(name !== undefined && { name }),
    ...(trigger !== undefined && { trigger }),
    action: action ?? 'create_task',
  };
}

function change(
  what: string,
  { webhook_id, name, owner = OPERATOR }: DbWebhook,
  details: JsonObject = {},
): DbChange {
  return { what, target: webhook_id, owner, details: { webhook: name, ...details } };
}

function differing(was: object, is: object): readonly string[] {
  const [a, b] = [was, is] as Record<string, unknown>[];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (name) => !same(a?.[name], b?.[name]),
  );
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
