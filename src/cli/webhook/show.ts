import type { Command } from 'commander';
import type { App, AppFlags } from '../../app.ts';
import { failure, notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { examples, type Runner } from '../command.ts';
import { facts, printJson, table } from '../print.ts';
import { webhookView } from './view.ts';

interface ShowFlags extends AppFlags {
  readonly showSecret?: boolean;
  readonly json?: boolean;
}

export function configureShow(command: Command, runner: Runner): void {
  command
    .description('Show one webhook: where it is written, who may command, and its commands.')
    .argument('<name>', 'webhook name')
    .option('--show-secret', 'print the secret alone, to paste it into the provider’s form')
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      examples('hookctl webhook show github', 'hookctl webhook show github --show-secret'),
    )
    .action((name: string, flags: ShowFlags) =>
      runner.run(command.optsWithGlobals(), (app) => show(app, name, flags)),
    );
}

async function show(app: App, name: string, flags: ShowFlags): Promise<0> {
  const { io } = app;
  const { snapshot } = await app.configuration({ createMissing: flags.showSecret === true });
  const webhook = snapshot.byName.get(name);
  if (webhook === undefined) {
    throw notFound(`there is no webhook ${name}`, `Known: ${[...snapshot.byName.keys()].join(', ')}.`);
  }
  if (flags.showSecret === true) {
    const secret = webhook.secrets[0];
    if (secret === undefined) throw failure('no_secret', `${name} has no secret: ${webhook.secretSource}`);
    say(io.out, secret.value.reveal());
    return 0;
  }
  const counts =
    app
      .reader()
      ?.countsByWebhook()
      .find((row) => row.webhook === name) ?? null;
  const view = webhookView(webhook, counts);
  if (flags.json === true) {
    printJson(io, view);
    return 0;
  }
  const place = view.file === null ? view.origin : `${view.file}${view.line === null ? '' : `:${view.line}`}`;
  say(
    io.out,
    facts([
      ['webhook', view.name],
      ['provider', view.provider],
      ['endpoint', view.endpoint],
      ['written in', place],
      ['state', view.enabled ? 'enabled' : 'disabled'],
      ['secret', view.secret_source],
      ['prefix', view.require_prefix ? view.command_prefix : `${view.command_prefix}, not required`],
      ['default', view.default_command],
      [
        'allowed',
        [...view.allow.associations, ...view.allow.users, ...view.allow.apps].join(', ') || 'nobody',
      ],
      ['deliveries', String(view.total)],
    ]),
  );
  const rows = webhook.commands.map((row) => [
    row.kind === 'text' ? [row.name, ...row.aliases].join(', ') : row.trigger,
    row.action,
    row.targetAgent,
    row.requiresApproval ? 'yes' : 'no',
  ]);
  say(io.out, `\n${table(['command', 'action', 'agent', 'needs approval'], rows)}`);
  return 0;
}
