import type { Command } from 'commander';
import type { Runner } from '../kit/command.ts';
import { configureSwitch } from './switch.ts';

export function configureEnable(command: Command, runner: Runner): void {
  configureSwitch(command.description('Let a dynamic webhook receive again.'), runner, true);
}
