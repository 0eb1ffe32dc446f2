/** One line of a run's log. `said`: the agent's words, `did`: a tool it used, `note`: hookctl's. */
export interface LogLine {
  readonly kind: 'said' | 'did' | 'output' | 'note';
  readonly text: string;
}
