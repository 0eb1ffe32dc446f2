import type { CliCommand } from '../command.ts';
import { configureList } from './list.ts';

export const audit: CliCommand = {
  configure(command, runner) {
    configureList(command.command('list'), runner);
  },
};
