import type { Webhook } from '../types.ts';

/** What decides which events a webhook uses. */
type EventUse = Pick<Webhook, 'commands' | 'events'>;

interface EventNames {
  /** Names of the events in which people write texts that command. */
  readonly texts: readonly string[];
  /** The sender's names for what hookctl calls an event (`issues.opened`), or a group of them (`issues`, of `issues.*`). */
  nameOf(type: string, isGroup: boolean): readonly string[];
  /** What `*` asks for: all that the sender can send. */
  readonly all: readonly string[];
}

/**
 * The events that the commands of a webhook use: those in which its text commands can be written, those that `events` names,
 * and those of its triggers. In the sender's words, sorted, each once.
 */
export function usedEvents({ commands, events }: EventUse, { texts, nameOf, all }: EventNames): string[] {
  const hasTexts = commands.some(({ kind }) => kind === 'text');
  const triggers = commands.flatMap((command) => (command.kind === 'trigger' ? [command.trigger] : []));
  const types = [...triggers, ...(hasTexts ? events : [])];
  const named = types.flatMap((type) =>
    type === '*' ? all : nameOf(type.replace(/\.\*$/, ''), type.endsWith('.*')),
  );
  return [...new Set([...(hasTexts ? texts : []), ...named])].toSorted();
}
