/**
 * Something that an agent wants to hear of. `task`: one waits to be begun and nothing holds it back. `answer`: a person
 * answered what it asked. `cancel`: somebody ended the task.
 */
export interface AgentEvent {
  /** `evt-…`, in the order in which things happened. */
  readonly id: string;
  readonly kind: 'task' | 'answer' | 'cancel';
  readonly taskId: string;
  /** Who did it: `cli`, `github:octocat`. */
  readonly actor: string;
  readonly reason: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Which events somebody wants. */
export interface AgentEventFilter {
  /** Who has been told what is remembered by this name. */
  readonly consumer: string;
  /** Only of tasks for this agent. */
  readonly agent?: string;
  /** Only of tasks of this conversation. */
  readonly conversationId?: string;
}
