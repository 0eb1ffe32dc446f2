import type { CliCommand } from '../command.ts';
import { configureList } from './list.ts';
import { configureShow } from './show.ts';

export const flow: CliCommand = {
  configure(command, runner) {
    configureList(command.command('list'), runner);
    configureShow(command.command('show'), runner);
  },
};
