/** How long the ingress took for its answers within one minute, each from the head of the request on. */
export interface AnswerTimes {
  /** When the minute begins, epoch milliseconds. */
  readonly at: number;
  /** How many answers took at most so many milliseconds and more than the next smaller bound; `Infinity` is a bound, too. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface AnswerTimesReader {
  /** Minutes with answers since then, the oldest first; they are kept for 31 days. */
  answerTimes(since: number): readonly AnswerTimes[];
}

export interface AnswerTimesWriter {
  /** Adds to what is known of that minute. */
  noteAnswers(times: AnswerTimes): Promise<void>;
}
