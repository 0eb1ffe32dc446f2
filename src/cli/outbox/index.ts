import type { CliCommand } from '../command.ts';
import { configureChange } from './change.ts';
import { configureList } from './list.ts';

export const outbox: CliCommand = {
  configure(command, runner) {
    configureList(command.command('list'), runner);
    configureChange(command.command('retry'), runner, {
      description: 'Send a failed or dropped one again.',
      change: (operations, id) => operations.retryOutgoing(id),
    });
    configureChange(command.command('drop'), runner, {
      description: 'Give up one that waits or failed.',
      change: (operations, id) => operations.dropOutgoing(id),
    });
  },
};
