import type { CliCommand } from '../command.ts';
import { configureAdd } from './add.ts';
import { configureCommand } from './command/index.ts';
import { configureDisable } from './disable.ts';
import { configureEdit } from './edit.ts';
import { configureEnable } from './enable.ts';
import { configureExport } from './export.ts';
import { configureImport } from './import.ts';
import { configureList } from './list.ts';
import { configureRemove } from './remove.ts';
import { configureRestore } from './restore.ts';
import { configureRotateSecret } from './rotate-secret.ts';
import { configureShow } from './show.ts';

export const webhook: CliCommand = {
  configure(command, runner) {
    configureAdd(command.command('add'), runner);
    configureList(command.command('list'), runner);
    configureShow(command.command('show'), runner);
    configureEdit(command.command('edit'), runner);
    configureEnable(command.command('enable'), runner);
    configureDisable(command.command('disable'), runner);
    configureRemove(command.command('remove'), runner);
    configureRotateSecret(command.command('rotate-secret'), runner);
    configureCommand(command.command('command'), runner);
    configureExport(command.command('export'), runner);
    configureImport(command.command('import'), runner);
    configureRestore(command.command('restore'), runner);
  },
};
