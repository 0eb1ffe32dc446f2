import { paint, say } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall } from '../kit/operate.ts';
import { printJson } from '../kit/print.ts';
import type { ConnectionView } from './connect.ts';

interface CheckFlags extends JsonFlags {
  readonly fix?: boolean;
}

interface CheckedView extends ConnectionView {
  readonly state: 'ok' | 'differs' | 'missing' | 'no_webhook' | 'failed' | 'mended' | 'removed';
  readonly differences: readonly { readonly field: string; readonly is: string; readonly shall: string }[];
  readonly text: string | null;
}

interface OrphanView {
  readonly connector: string;
  readonly target: string;
  readonly id: string;
  readonly url: string;
  readonly removed: boolean;
}

export interface ReportView {
  readonly connections: readonly CheckedView[];
  readonly orphans: readonly OrphanView[];
}

export const configureCheck: CliCommand = (command, runner) => {
  command
    .description('Compare the hooks at senders with what they should be.')
    .option('--fix', 'mend what differs, remove hooks that no connection names')
    .option('--json', 'print one object')
    .examples('hookctl connect check', 'hookctl connect check --fix')
    // `--json` is an option of `connect`, too, which takes it.
    .action(runner.action(command, (app) => check(app, command.optsWithGlobals<CheckFlags>())));
};

const GOOD: readonly string[] = ['ok', 'mended', 'removed'];

async function check(app: Services, { fix = false, json }: CheckFlags): Promise<0 | 1> {
  const call = await managementCall(app, 'connect check');
  const report = await call<ReportView>({ method: 'POST', path: '/api/connections/check', body: { fix } });
  const { connections, orphans } = report;
  if (json === true) printJson(app.io, report);
  else if (connections.length === 0) {
    say(app.io.err, 'Nothing is connected. Make a hook: hookctl connect github owner/repository');
  } else {
    for (const checked of connections) show(app, checked);
    for (const orphan of orphans) showOrphan(app, orphan);
  }
  return troubleOf(report).length === 0 ? 0 : 1;
}

/** What is not as it should be, in words. */
export function troubleOf({ connections, orphans }: ReportView): readonly string[] {
  const wrong = connections.flatMap(({ state, text, connector, target }) =>
    GOOD.includes(state) ? [] : (text ?? `${connector} ${target}: ${state.replace('_', ' ')}`),
  );
  return [...wrong, ...orphans.flatMap((orphan) => (orphan.removed ? [] : orphanText(orphan)))];
}

function show(
  { io: { out } }: Services,
  { connector, target, webhook, state, differences, text }: CheckedView,
): void {
  const style = GOOD.includes(state) ? 'green' : 'red';
  say(out, `${connector} ${target} → ${webhook}: ${paint(out, style, state.replace('_', ' '))}`);
  for (const { field, is, shall } of differences) {
    say(out, `  ${field}`);
    say(out, paint(out, 'red', `  - ${escapeInvisibleLine(is)}`));
    say(out, paint(out, 'green', `  + ${escapeInvisibleLine(shall)}`));
  }
  if (text !== null && differences.length === 0) say(out, `  ${escapeInvisibleLine(text)}`);
  else if (state === 'differs') say(out, '  Mend it: hookctl connect check --fix');
}

function orphanText({ connector, target, id, url }: OrphanView): string {
  return `${connector} ${target}: hook ${id} is of this installation, but no connection names it (${escapeInvisibleLine(url)})`;
}

function showOrphan({ io: { out } }: Services, orphan: OrphanView): void {
  const what = orphanText(orphan);
  say(out, orphan.removed ? `${what}: removed` : `${what}\n  Remove it: hookctl connect check --fix`);
}
