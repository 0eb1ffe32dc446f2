import type { Action } from '../actions/action.ts';
import { compileConditions, conditionsLater } from '../conditions/conditions.ts';
import { compiledLater, compileTemplate } from '../templates/template.ts';
import type { WebhookCommand } from '../types.ts';
import { actionFaults } from './action-faults.ts';
import { formFaults, wordFaults } from './command-faults.ts';
import type { Fault, Path } from './problems.ts';
import type { ValidCommand } from './schema.ts';

const TEXT_TEMPLATE = '{{@event.title}}\n\n{{@argument}}';
const TRIGGER_TEMPLATE = '{{@event.type}}: {{@event.title}}\n\n{{@event.url}}';

interface ResolvedCommands {
  /** Those without a fault. */
  readonly commands: readonly WebhookCommand[];
  readonly faults: readonly Fault[];
}

export interface CommandSettings {
  /** What a command may name. */
  readonly actions: readonly Action[];
  /** The definitions were right before: they are compiled when they are needed. Default false. */
  readonly trusted?: boolean;
}

/** Compiles the commands of one webhook. Paths of faults start at `commands`. */
export function resolveCommands(
  definitions: readonly ValidCommand[],
  targetAgent: string,
  { actions, trusted = false }: CommandSettings,
): ResolvedCommands {
  const resolved = definitions.map((definition, index) =>
    resolveCommand(definition, {
      path: ['commands', index],
      targetAgent,
      actions,
      trusted,
      triggerNumber: definitions.slice(0, index + 1).filter(({ trigger }) => trigger !== undefined).length,
    }),
  );
  return {
    commands: resolved.flatMap(({ command }) => command ?? []),
    faults: [...resolved.flatMap(({ faults }) => faults), ...(trusted ? [] : wordFaults(definitions))],
  };
}

interface CommandPlace {
  readonly path: Path;
  readonly targetAgent: string;
  readonly actions: readonly Action[];
  readonly trusted: boolean;
  /** 1 for the first trigger command of the webhook. */
  readonly triggerNumber: number;
}

interface ResolvedCommand {
  readonly command: WebhookCommand | null;
  readonly faults: readonly Fault[];
}

function resolveCommand(definition: ValidCommand, place: CommandPlace): ResolvedCommand {
  const { name, aliases = [], trigger, action = 'create_task' } = definition;
  const isUsed = place.actions.find((each) => each.name === action)?.usesTemplate !== false;
  const usual = trigger === undefined ? TEXT_TEMPLATE : TRIGGER_TEMPLATE;
  const source = definition.template ?? (isUsed ? usual : '');
  const { template, conditions } = place.trusted ? later(source, definition) : compile(source, definition);
  const faults: readonly Fault[] = place.trusted
    ? []
    : [
        ...formFaults(definition),
        ...actionFaults(definition, place.actions),
        ...(template.ok ? [] : [templateFault(template)]),
        ...(conditions.ok ? [] : conditions.problems.map(conditionFault)),
      ].map((fault) => ({ ...fault, path: [...place.path, ...fault.path] }));
  if (faults.length > 0 || !template.ok || !conditions.ok) return { command: null, faults };
  const base = {
    action,
    targetAgent: definition.targetAgent ?? place.targetAgent,
    template: template.template,
    requiresApproval: definition.requiresApproval ?? false,
    approval: definition.approval ?? null,
    options: definition.options ?? {},
  };
  if (name !== undefined) return { command: { ...base, kind: 'text', id: name, name, aliases }, faults };
  return {
    command: {
      ...base,
      kind: 'trigger',
      id: `trigger:${place.triggerNumber}`,
      trigger: trigger ?? '*',
      conditions: conditions.conditions,
      priority: definition.priority ?? 100,
    },
    faults,
  };
}

function compile(source: string, { conditions = {} }: ValidCommand) {
  return { template: compileTemplate(source), conditions: compileConditions(conditions) };
}

function later(source: string, { conditions = {} }: ValidCommand): ReturnType<typeof compile> {
  return {
    template: { ok: true, template: compiledLater(source) },
    conditions: { ok: true, conditions: conditionsLater(conditions) },
  };
}

function templateFault({
  message,
  line,
  column,
}: {
  message: string;
  line?: number;
  column?: number;
}): Fault {
  const place = [
    line === undefined ? [] : `line ${line}`,
    column === undefined ? [] : `column ${column}`,
  ].flat();
  const where = place.length === 0 ? '' : ` (${place.join(', ')} of the template)`;
  return { path: ['template'], message: `does not compile: ${message}${where}` };
}

function conditionFault({ path, message }: { path: string; message: string }): Fault {
  return { path: ['conditions', ...(path === '' ? [] : [path])], message };
}
