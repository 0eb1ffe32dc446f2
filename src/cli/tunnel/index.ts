import type { CliCommand } from '../command.ts';
import { configureList } from './list.ts';
import { configureNew } from './new.ts';
import { configureOpen } from './open.ts';
import { configureStatus } from './status.ts';

export const tunnel: CliCommand = {
  configure(command, runner) {
    configureList(command.command('list'), runner);
    configureOpen(command.command('open'), runner);
    configureStatus(command.command('status'), runner);
    configureNew(command.command('new'), runner);
  },
};
