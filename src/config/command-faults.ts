import type { Fault } from './problems.ts';
import type { ValidCommand } from './schema.ts';

/** Words that answer a task which waits; a command of that name could never be told from the answer. */
const RESERVED: readonly string[] = ['approve', 'stop'];
const WORD = /^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u;

/** A command is of one of two kinds, and takes only the fields of its kind. */
export function formFaults(definition: ValidCommand): readonly Fault[] {
  const { name, trigger } = definition;
  if (name !== undefined && trigger !== undefined) {
    const message = 'has both name and trigger';
    return [
      { path: [], message, fix: 'Make it two commands: one with a name, one with a trigger.', text: name },
    ];
  }
  if (name === undefined && trigger === undefined) {
    const fix = 'Add name (a word that people write) or trigger (an event type, such as issues.opened).';
    return [{ path: [], message: 'has neither name nor trigger', fix }];
  }
  const foreign = name === undefined ? (['aliases'] as const) : (['conditions', 'priority'] as const);
  const kind = name === undefined ? 'name' : 'trigger';
  return foreign
    .filter((field) => definition[field] !== undefined)
    .map((field) => ({
      path: [field],
      message: `belongs to a command with a ${kind}`,
      fix: `Remove ${field}, or give a ${kind} in place of the ${kind === 'name' ? 'trigger' : 'name'}.`,
      atKey: true,
    }));
}

/** Names and aliases: one word each, not reserved, used once in the webhook whatever the case. */
export function wordFaults(definitions: readonly ValidCommand[]): readonly Fault[] {
  const words = definitions.flatMap(({ name, aliases = [] }, index) => [
    ...(name === undefined ? [] : [{ word: name, path: ['commands', index, 'name'] }]),
    ...aliases.map((word, position) => ({ word, path: ['commands', index, 'aliases', position] })),
  ]);
  return words.flatMap(({ word, path }, position) => {
    const lower = word.toLowerCase();
    const first = words.findIndex((other) => other.word.toLowerCase() === lower);
    if (!WORD.test(word)) {
      const fix = 'Use letters, digits, - and _ only.';
      return [{ path, message: `“${word}” is not one word`, fix, text: word }];
    }
    if (RESERVED.includes(lower)) {
      const fix = 'Choose another word.';
      return [{ path, message: `${word} is reserved: it answers a task that waits`, fix, text: word }];
    }
    if (first === position) return [];
    const fix = 'Choose another word: upper and lower case do not differ.';
    const message = `${word} is already used at ${words[first]?.path.join('.')}`;
    return [{ path, message, fix, text: word }];
  });
}
