import type { z } from 'zod';
import type { IdSource } from '../lib/ids.ts';
import type {
  Delivery,
  JsonObject,
  NewOutgoing,
  NewTask,
  PostText,
  ReplyChannel,
  TemplateContext,
  ThreadRef,
  Webhook,
  WebhookCommand,
} from '../types.ts';

/** The input of an action. */
export interface ActionContext {
  readonly webhook: Webhook;
  readonly command: WebhookCommand;
  readonly template: TemplateContext;
  /** Further events that waited together with it (`coalesce`), in their order: one task holds them all. */
  readonly further: readonly TemplateContext[];
  /** The task must wait for a person: the command says so, or the sender may not command. */
  readonly needsApproval: boolean;
  readonly ids: IdSource;
  readonly delivery: Delivery;
  readonly replies: Replies;
  readonly surroundings: Surroundings;
  /** What `repair` is to do; null for all other actions. */
  readonly repair: RepairOrder | null;
}

/** What a red build asks for. `say`: nothing is repaired, and a person is told why. */
export type RepairOrder =
  | {
      readonly kind: 'repair';
      readonly title: string;
      /** Fenced. */
      readonly prompt: string;
      /** Which check of which commit, for the task's metadata. */
      readonly about: JsonObject;
      readonly reason: string;
    }
  | { readonly kind: 'say'; readonly text: PostText; readonly reason: string };

/** Whether and where the event can be answered. */
export type Replies =
  | {
      readonly state: 'on';
      readonly channel: ReplyChannel;
      readonly place: ThreadRef;
      /** Only the task posts, once a person has approved it. */
      readonly afterApproval: boolean;
    }
  /** A replay or sample that posts nothing. */
  | { readonly state: 'silent' }
  /** `reason`: `no GITHUB_TOKEN`, … */
  | { readonly state: 'off'; readonly reason: string };

/** Where programs run. */
export interface Surroundings {
  /** Folder of the project: relative programs and folders start there. */
  readonly projectFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when hookctl stops. */
  readonly stopping: AbortSignal;
}

/** The result of an action. It writes nothing itself: dispatch records the result together with the delivery. */
export interface ActionOutcome {
  readonly tasks: readonly NewTask[];
  /** What is to be sent, once the outcome is recorded. */
  readonly outgoing: readonly NewOutgoing[];
  /** A remark for the delivery's record. Null when the action has nothing to add. */
  readonly note: string | null;
}

/** What a command does. One file each, listed in `actions/index.ts`. */
export interface Action {
  readonly name: string;
  /**
   * It runs a program or posts: then hookctl refuses senders who may not command, and unverified deliveries. Other
   * actions become tasks that wait for approval.
   */
  readonly reachesOut: boolean;
  /** It renders the command's template; a command of another action that has one is refused. */
  readonly usesTemplate: boolean;
  /** What a command's `options` may say; checked when configuration is loaded, and applied (defaults) when it runs. */
  readonly options: z.ZodType<unknown, JsonObject>;
  /** Throws `HookctlError` when the command's template or options can't be followed for this event. */
  run(context: ActionContext): Promise<ActionOutcome>;
}

/** An outcome with only these parts. */
export function outcome(parts: Partial<ActionOutcome>): ActionOutcome {
  return { tasks: [], outgoing: [], note: null, ...parts };
}
