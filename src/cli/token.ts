import { InvalidArgumentError } from 'commander';
import { requireFolder } from '../config/project/locate.ts';
import { notFound } from '../errors.ts';
import { say } from '../lib/io.ts';
import { duration } from '../lib/units.ts';
import { SCOPES, type Scope } from '../server/access/caller.ts';
import type { TokenView } from '../server/access/routes.ts';
import type { Page } from '../server/api/route.ts';
import { readToken } from '../server/credentials.ts';

import type { CliCommand, JsonFlags } from './kit/command.ts';
import { managementCall } from './kit/operate.ts';
import { collectFrom } from './kit/options.ts';
import { localTime, printJson, sayFacts } from './kit/print.ts';
import { below, state, table, time, whole } from './kit/table.ts';

export const configureToken: CliCommand = (command, runner) => {
  command
    .description(
      'Print the operator’s token, which opens the whole management API; make tokens that open what belongs to one owner.',
    )
    .examples('curl -H "Authorization: Bearer $(hookctl token)" http://127.0.0.1:8001/api/status')
    .action(
      runner.action(command, async ({ io, env, redactor, located: { dataFolder } }) => {
        requireFolder(env);
        const token = await readToken(dataFolder);
        if (token === null) {
          throw notFound(
            `there is no management token in ${dataFolder} yet`,
            'The first `hookctl serve` makes it.',
          );
        }
        redactor.reveal(token.reveal());
        say(io.out, token.reveal());
        return 0;
      }),
    );
};

interface CreateFlags extends JsonFlags {
  readonly owner?: string;
  readonly scope: readonly Scope[];
  readonly ttl: number;
  readonly name?: string;
}

export const configureCreate: CliCommand = (command, runner) => {
  command
    .description('Make a token for what belongs to one owner. It is shown once: only its digest is kept.')
    .option(
      '--owner <name>',
      'whose webhooks, deliveries and tasks it opens; needed but with an owner’s token',
    )
    .option(
      '--scope <scope>',
      'what it lets do (repeatable): read (the default), webhooks, tasks, admin; each lets read',
      collectFrom(SCOPES),
      [],
    )
    .option('--ttl <time>', 'how long it counts, at most 366d', ttl, 30 * DAY_MS)
    .option('--name <words>', 'who or what has it, for the list and the audit')
    .option('--json', 'print it as JSON')
    .examples(
      'hookctl token create --owner ada --scope webhooks --scope tasks --ttl 30d --name laptop',
      'HOOKCTL_TOKEN=hkt_… hookctl task list',
    )
    .action(
      runner.action(command, async (app, { owner, scope, ttl, name, json }: CreateFlags) => {
        const call = await managementCall(app, 'token create');
        const made = await call<TokenView & { readonly token: string }>({
          method: 'POST',
          path: '/api/tokens',
          body: { owner, scopes: scope.length === 0 ? ['read'] : scope, name: name ?? null, ttl_ms: ttl },
        });
        app.redactor.reveal(made.token);
        if (json === true) printJson(app.io, made);
        else {
          sayFacts(app.io.err, [
            ['token', made.id],
            ['owner', made.owner],
            ['scopes', made.scopes.join(', ')],
            ['expires', localTime(made.expires_at)],
          ]);
          say(app.io.out, made.token);
          say(
            app.io.err,
            'It is shown this once. Its holder sets HOOKCTL_TOKEN to it, or sends it as Bearer.',
          );
        }
        return 0;
      }),
    );
};

const DAY_MS = 86_400_000;

function ttl(text: string): number {
  const parsed = duration.safeParse(text);
  if (parsed.success && parsed.data <= 366 * DAY_MS) return parsed.data;
  throw new InvalidArgumentError('It must be a number and s, m, h, d or w, at most 366d, such as 30d.');
}

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List the tokens of owners, without their texts.')
    .option('--json', 'print an array')
    .examples('hookctl token list')
    .action(
      runner.action(command, async (app, { json }: JsonFlags) => {
        const call = await managementCall(app, 'token list');
        const { items } = await call<Page<TokenView>>({ method: 'GET', path: '/api/tokens' });
        if (json === true) printJson(app.io, items);
        else if (items.length === 0)
          say(app.io.err, 'No tokens of owners. Make one: hookctl token create --owner <name>');
        else say(app.io.out, await table(app.io.out, COLUMNS, items.map(rowOf)));
        return 0;
      }),
    );
};

const COLUMNS = [whole('id'), whole('owner'), 'scopes', state('state'), time('expires'), below('name')];

function rowOf({ id, owner, scopes, is_expired: isExpired, expires_at: expires, name }: TokenView) {
  return [id, owner, scopes.join(','), isExpired ? 'expired' : 'valid', localTime(expires), name ?? '-'];
}

export const configureRevoke: CliCommand = (command, runner) => {
  command
    .description('End a token at once, and all tokens that were made with it.')
    .argument('<id>', 'id of the token')
    .option('--json', 'print an array of those that ended')
    .examples('hookctl token revoke tok-01jd9x3k2a7f3kq2')
    .action(
      runner.action(command, async (app, id: string, { json }: JsonFlags) => {
        const call = await managementCall(app, 'token revoke');
        const path = `/api/tokens/${encodeURIComponent(id)}/revoke`;
        const { items } = await call<Page<TokenView>>({ method: 'POST', path, body: {} });
        if (json === true) printJson(app.io, items);
        else
          sayFacts(app.io.out, [
            ['revoked', id],
            ['owner', items.find((token) => token.id === id)?.owner ?? null],
            [
              'also',
              items.length > 1
                ? items.flatMap((token) => (token.id === id ? [] : [token.id])).join(', ')
                : null,
            ],
          ]);
        return 0;
      }),
    );
};
