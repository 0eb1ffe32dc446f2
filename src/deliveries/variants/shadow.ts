import { HookctlError } from '../../errors.ts';
import { commandLabel } from '../../labels.ts';
import { shorten } from '../../lib/text/escape-invisible.ts';
import type { Decision, Delivery, WouldHave } from '../../types.ts';
import type { EventContext, PipelineContext } from '../context.ts';
import { decisionOf, type Match, match } from '../match.ts';
import { templateOf } from '../run-command.ts';
import { contextOf, type EventResult, type Outcome, outcomeOf, type Read } from '../settle.ts';

/** Characters that are kept of what would have been said. */
const MOST_TEXT = 500;

/** The outcome of a delivery whose webhook is in shadow: what each command would have done, and no effect. */
export async function inShadow(
  context: PipelineContext,
  delivery: Delivery,
  { webhook, parsed }: Read,
): Promise<Outcome> {
  const results: EventResult[] = [];
  for (const [index, event] of parsed.events.entries()) {
    const eventContext = contextOf(context, delivery, webhook, event, index);
    const { choice } = eventContext;
    const { decisions, ignored } = await shadowDecisions(eventContext, ({ command }) =>
      choice?.nameOf(commandLabel(command)),
    );
    const would = decisions.flatMap((each) => (each.would == null ? [] : each.command));
    const reason =
      would.length === 0 ? `in shadow: ${ignored}` : `in shadow: would have run ${would.join(', ')}`;
    results.push(await withVariants(eventContext, { decisions, effects: [], ignored: reason }));
  }
  return outcomeOf(results);
}

/** The decisions about an event with the names of the variants that made them, and those that variants in shadow would make. */
export async function withVariants(eventContext: EventContext, result: EventResult): Promise<EventResult> {
  const { choice } = eventContext;
  if (choice === null) return result;
  const beside: Decision[] = [];
  for (const { name, webhook, command } of choice.shadows) {
    const { decisions } = await shadowDecisions({ ...eventContext, webhook }, () => name);
    beside.push(...decisions.filter((each) => command === null || each.command === command));
  }
  const named = result.decisions.map((decision): Decision => {
    const variant = choice.nameOf(decision.command);
    return variant === undefined ? decision : { ...decision, variant };
  });
  return { ...result, decisions: [...named, ...beside], variants: choice.names };
}

async function shadowDecisions(
  eventContext: EventContext,
  nameOf: (match: Match) => string | undefined,
): Promise<{ readonly decisions: readonly Decision[]; readonly ignored: string | null }> {
  const { webhook, event, delivery } = eventContext;
  const { matches, ignored } = match(webhook, event, delivery.trust ?? 'unverified', delivery);
  const decisions: Decision[] = [];
  for (const each of matches) {
    const variant = nameOf(each);
    const outcome = each.fired ? await wouldHave(eventContext, each) : { would: null };
    decisions.push(
      decisionOf(eventContext, each, { fired: false, ...(variant !== undefined && { variant }), ...outcome }),
    );
  }
  return { decisions, ignored };
}

/** Renders and runs nothing: neither the action, nor what a template would ask of the sender. */
async function wouldHave(
  eventContext: EventContext,
  each: Match,
): Promise<Pick<Decision, 'error'> & { readonly would: WouldHave }> {
  const { action, targetAgent: agent, template } = each.command;
  const would = { action, agent, waits: each.needsApproval, text: '' };
  if (template.source === '') return { would, error: null };
  try {
    const text = (await template.compiled()).plain(templateOf(eventContext, each));
    return { would: { ...would, text: shorten(text, MOST_TEXT) }, error: null };
  } catch (error) {
    if (!(error instanceof HookctlError)) throw error;
    return { would, error: error.message };
  }
}
