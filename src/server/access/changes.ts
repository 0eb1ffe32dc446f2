import { isDeepStrictEqual } from 'node:util';
import type { Change } from '../../config/dynamic/change.ts';
import type { DbWebhook } from '../../config/dynamic/schema.ts';
import { failure, HookctlError, notFound } from '../../errors.ts';
import { OPERATOR } from '../../types/webhook.ts';

/** Actions that use this machine itself: what the operator gives, to a webhook or by `owners.<name>.actions`. */
const POWERS: readonly string[] = ['run', 'forward'];

/**
 * A change of the db as a token of an owner may make it: it touches that owner's webhooks alone, makes none that is another's, and
 * gives none a program to run or a URL to forward to that the operator does not list for it (`listed`), nor a variable of the environment as
 * its secret. Throws `not_found` and
 * `operator_only`.
 */
export function ownChange<T>(
  { owner, listed = [] }: { readonly owner: string; readonly listed?: readonly string[] | undefined },
  change: Change<T>,
): Change<T> {
  const powers = POWERS.filter((action) => !listed.includes(action));
  return (state, context) => {
    const changed = hidden(() => change(state, context));
    const before = new Map(state.webhooks.map((webhook) => [webhook.webhook_id, webhook]));
    const after = new Map(changed.state.webhooks.map((webhook) => [webhook.webhook_id, webhook]));
    for (const id of new Set([...before.keys(), ...after.keys()])) {
      const [former, latter] = [before.get(id), after.get(id)];
      if (isDeepStrictEqual(former, latter)) continue;
      if ([former, latter].some((each) => each !== undefined && (each.owner ?? OPERATOR) !== owner))
        throw notFound(`there is no webhook ${former?.name ?? id} of ${owner}`);
      const had = former === undefined ? [] : powersOf(former, powers);
      const added = latter === undefined ? [] : powersOf(latter, powers);
      const fresh = added.find((power) => !had.some((each) => isDeepStrictEqual(each, power)));
      if (fresh !== undefined)
        throw failure('operator_only', `only the operator gives a webhook ${fresh.what}`, {
          fix: `Ask the person who runs hookctl${fresh.list === null ? '' : `: owners.${owner}.actions of webhooks.yml may list it`}.`,
        });
    }
    return changed;
  };
}

/** A name may be taken by a webhook of which the asker learns nothing else. */
function hidden<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof HookctlError) || error.code !== 'name_taken') throw error;
    throw failure('name_taken', 'the name is taken', error.fix === null ? {} : { fix: error.fix });
  }
}

interface Power {
  readonly what: string;
  /** What the operator could list; null where nothing can be. */
  readonly list: string | null;
  readonly settings: unknown;
}

function powersOf(
  { commands, variants = [], secrets }: DbWebhook,
  powers: readonly string[],
): readonly Power[] {
  const acting = [
    ...variants.flatMap((variant) => variant.commands ?? []),
    // A variant has what it does not name from its command.
    ...commands.flatMap((command) => [
      command,
      ...(command.variants ?? []).map((variant) => ({ ...command, ...variant })),
    ]),
  ];
  return [
    ...acting
      .filter(({ action }) => action !== undefined && powers.includes(action))
      .map(({ action, options }) => ({
        what: `the action ${action}`,
        list: action ?? null,
        settings: { action, options },
      })),
    ...secrets.flatMap((secret) =>
      'env' in secret
        ? [{ what: 'a variable of the environment as its secret', list: null, settings: secret.env }]
        : [],
    ),
  ];
}
