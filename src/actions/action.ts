import type { IdSource } from '../lib/ids.ts';
import type { NewTask, TemplateContext, Webhook, WebhookCommand } from '../types.ts';

/** What an action is told. */
export interface ActionContext {
  readonly webhook: Webhook;
  readonly command: WebhookCommand;
  readonly template: TemplateContext;
  /** The task must wait for a person: the command says so, or the sender may not command. */
  readonly needsApproval: boolean;
  readonly ids: IdSource;
}

/** What an action asks for. It writes nothing itself: the pipeline records it together with the delivery. */
export interface ActionOutcome {
  readonly tasks: readonly NewTask[];
}

/** What a command does. One file each, listed in `actions/index.ts`. */
export interface Action {
  readonly name: string;
  /**
   * It runs a program or posts: then a sender who may not command is refused, and so is a delivery that nobody
   * verified. Other actions become tasks that wait for approval.
   */
  readonly reachesOut: boolean;
  /** Throws `HookctlError` when the command's template or options can't be followed for this event. */
  run(context: ActionContext): Promise<ActionOutcome>;
}
