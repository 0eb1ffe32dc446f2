import type { DispatchView } from '../../server/api/deliveries.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';
import { printSettled, succeeded } from '../replay/settled.ts';

export const configureRetry: CliCommand = (command, runner) => {
  command
    .description('Process a failed or ignored delivery again with the present configuration.')
    .argument('<id>', 'delivery id')
    .option('--json', 'print { delivery, tasks } as JSON')
    .examples('hookctl delivery retry dlv-01jd9x3k2a7f3kq2')
    .action(
      runner.action(command, async (app, id: string, { json }: JsonFlags) => {
        const call = await managementCall(app, 'delivery retry');
        const path = `/api/deliveries/${encodeURIComponent(id)}/retry`;
        const settled = await call<DispatchView>({ method: 'POST', path, body: {} });
        if (json === true) printJson(app.io, settled);
        else printSettled(app.io, settled);
        return succeeded(settled) ? 0 : 1;
      }),
    );
};
