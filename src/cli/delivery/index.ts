import type { CliCommand } from '../command.ts';
import { configureList } from './list.ts';
import { configurePrune } from './prune.ts';
import { configureRetry } from './retry.ts';
import { configureShow } from './show.ts';

export const delivery: CliCommand = {
  configure(command, runner) {
    configureList(command.command('list'), runner);
    configureShow(command.command('show'), runner);
    configurePrune(command.command('prune'), runner);
    configureRetry(command.command('retry'), runner);
  },
};
