import type { CliCommand } from '../command.ts';
import { configureCancel } from './cancel.ts';
import { configureComplete } from './complete.ts';
import { configureCreate } from './create.ts';
import { configureFail } from './fail.ts';
import { configureList } from './list.ts';
import { configureLogs } from './logs.ts';
import { configurePrune } from './prune.ts';
import { configureRelease } from './release.ts';
import { configureShow } from './show.ts';
import { configureStep } from './step.ts';

export const task: CliCommand = {
  configure(command, runner) {
    configureList(command.command('list'), runner);
    configureShow(command.command('show'), runner);
    configureLogs(command.command('logs'), runner);
    configureCreate(command.command('create'), runner);
    configureStep(command.command('start'), runner, 'start');
    configureComplete(command.command('complete'), runner);
    configureFail(command.command('fail'), runner);
    configureCancel(command.command('cancel'), runner);
    configureStep(command.command('approve'), runner, 'approve');
    configureRelease(command.command('release'), runner);
    configureStep(command.command('retry'), runner, 'retry');
    configurePrune(command.command('prune'), runner);
  },
};
