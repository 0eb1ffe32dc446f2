/** A flow that goes on in an older one: tasks about its subject belong there since. */
export interface FlowLink {
  readonly flowId: string;
  /** The external id of its subject. */
  readonly externalId: string;
  readonly intoFlowId: string;
  /** Why, in words: `closes #42`. */
  readonly reason: string;
  /** `github:octocat`, `cli`, … */
  readonly actor: string;
  readonly createdAt: number;
  /** A person took it back: only a person can join the two again. */
  readonly undone: boolean;
}

/** A wish to join two flows: the younger one goes on in the older one. */
export interface FlowJoin extends Pick<FlowLink, 'reason' | 'actor'> {
  /** Both are made where they do not exist; the second counts as the older one then. */
  readonly flows: readonly [JoinedFlow, JoinedFlow];
  /** A person asked for it, so that it also counts where a person took it back before. */
  readonly isAsked: boolean;
  /** Of both. */
  readonly owner: string;
}

interface JoinedFlow {
  readonly flowId: string;
  readonly externalId: string;
  readonly newConversationId: string;
}

/** What `repair` did about the result of a check. */
export interface RepairNote {
  /** Delivery and position of the event. */
  readonly id: string;
  /** The pull request, by the id that a rename does not change. */
  readonly subject: string;
  readonly sha: string;
  /** The check. */
  readonly source: string;
  /** `said`: a person was told. `ended`: also that nothing of the pull request is repaired any more. */
  readonly kind: 'repair' | 'said' | 'ended';
  readonly reason: string;
  /** Equal where the same failure comes again. */
  readonly fingerprint: string;
  /** Null where no task was made. */
  readonly taskId: string | null;
  readonly at: number;
}

/** A pending delivery that waits for further events of its flow. */
export interface HeldDelivery {
  readonly deliveryId: string;
  readonly flowId: string;
  /** Those of one group become one task. */
  readonly waitGroup: string;
  /** When it has waited long enough for a further event; epoch milliseconds. */
  readonly windowEndsAt: number;
  /** When it waits no more. */
  readonly lastEndsAt: number;
}

export interface RepairFilter {
  readonly subject?: string;
  readonly sha?: string;
  /** Epoch milliseconds. */
  readonly since?: number;
}
