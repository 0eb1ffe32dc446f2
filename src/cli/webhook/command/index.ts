import type { Command } from 'commander';
import type { Runner } from '../../command.ts';
import { configureCommandAdd } from './add.ts';
import { configureCommandEdit } from './edit.ts';
import { configureCommandList } from './list.ts';
import { configureCommandRemove } from './remove.ts';

export function configureCommand(command: Command, runner: Runner): void {
  command.description('The commands of a webhook: what people can ask for, and what happens by itself.');
  configureCommandAdd(command.command('add'), runner);
  configureCommandList(command.command('list'), runner);
  configureCommandEdit(command.command('edit'), runner);
  configureCommandRemove(command.command('remove'), runner);
}
