import type { Action } from '../actions/action.ts';
import type { Issue, JsonObject, Variant, WebhookCommand } from '../types.ts';
import type { ValidCommand, ValidDefinition, ValidVariant } from './schema.ts';

/** What every variant says of itself, of a webhook or of a command. */
type Named = Pick<ValidVariant, 'name' | 'weight' | 'mode'>;

export interface ResolvedVariants {
  readonly variants: readonly Variant[];
  readonly issues: readonly Issue[];
}

/** A variant whose parts are resolved. */
export function variantOf(
  given: Named,
  commands: readonly WebhookCommand[],
  defaultCommand: string | null,
): Variant {
  const { name, weight = 1, mode = 'live' } = given;
  return { name, weight, mode, commands, defaultCommand, source: given as unknown as JsonObject };
}

/** Names that come twice, weights without effect, and a list in which none acts. Paths start at `variants`. */
export function variantIssues(variants: readonly Named[]): readonly Issue[] {
  const path = ['variants'];
  const isIdle = variants.every(({ mode }) => mode === 'shadow');
  return [
    ...(isIdle
      ? [
          {
            path,
            message: 'none of them is live',
            fix: 'Leave mode out of one, or set mode: shadow on the webhook.',
          },
        ]
      : []),
    ...variants.flatMap(({ name, weight, mode }, index): Issue[] => [
      ...(variants.findIndex((other) => other.name === name) === index
        ? []
        : [
            { path: [...path, index, 'name'], message: `${name} is used twice`, fix: 'Choose another name.' },
          ]),
      ...(mode === 'shadow' && weight !== undefined
        ? [
            {
              path: [...path, index, 'weight'],
              message:
                'has no effect on a shadow variant, which decides about each delivery beside a live one',
              fix: 'Remove it.',
              atKey: true,
            },
          ]
        : []),
    ]),
  ];
}

/** A webhook as one of its variants has it. */
export function variantDefinition(
  definition: ValidDefinition,
  variant: ValidVariant,
  actions: readonly Action[],
): ValidDefinition {
  const rendersTemplate = ({ action = 'create_task' }: ValidCommand) =>
    actions.find(({ name }) => name === action)?.usesTemplate === true;
  const { template, targetAgent } = variant;
  const written: readonly ValidCommand[] = variant.commands ?? definition.commands ?? [];
  const commands = written.map((command) => ({
    ...command,
    // An action that renders none has no template to change.
    ...(template !== undefined && rendersTemplate(command) && { template }),
    ...(targetAgent !== undefined && { targetAgent }),
  }));
  const names = commands.flatMap(({ name, aliases = [] }) => (name === undefined ? [] : [name, ...aliases]));
  const usual = names.includes(definition.defaultCommand ?? '') ? definition.defaultCommand : undefined;
  return {
    ...definition,
    variants: undefined,
    targetAgent: targetAgent ?? definition.targetAgent,
    commands,
    defaultCommand: variant.defaultCommand ?? usual,
  };
}

/** An issue of a variant's commands, where it was written: paths start at the webhook. */
export function inVariant(variant: ValidVariant, index: number): (issue: Issue) => Issue {
  return (issue) => {
    const [first, , field] = issue.path;
    const isInherited = first === 'commands' && variant.commands === undefined;
    const path = isInherited
      ? field === 'template' && variant.template !== undefined
        ? ['template']
        : []
      : issue.path;
    return { ...issue, path: ['variants', index, ...path] };
  };
}

/** One experiment at a time: two that overlap would not tell which of them made the difference. */
export function doubleExperiment({ variants = [], commands = [] }: ValidDefinition): readonly Issue[] {
  const index = commands.findIndex((command) => command.variants !== undefined);
  if (variants.length === 0 || index < 0) return [];
  const message =
    'the webhook itself has variants: two comparisons at once would not tell which made the difference';
  return [{ path: ['commands', index, 'variants'], message, fix: 'Remove one of them.', atKey: true }];
}
