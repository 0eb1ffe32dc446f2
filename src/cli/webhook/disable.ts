import type { Command } from 'commander';
import type { Runner } from '../kit/command.ts';
import { configureSwitch } from './switch.ts';

export function configureDisable(command: Command, runner: Runner): void {
  configureSwitch(command.description('Have a dynamic webhook answer 403, and keep it.'), runner, false);
}
