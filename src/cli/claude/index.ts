import type { CliCommand } from '../command.ts';
import { configureInstall } from './install.ts';
import { configureStatus } from './status.ts';
import { configureUninstall } from './uninstall.ts';

export const claude: CliCommand = {
  configure(command, runner) {
    configureStatus(command.command('status'), runner);
    configureInstall(command.command('install'), runner);
    configureUninstall(command.command('uninstall'), runner);
  },
};
