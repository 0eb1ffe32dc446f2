import type { ServeReporter } from '../../server/reporter.ts';
import type { Serving } from '../../server/serve.ts';

/** What `serve` tells while it runs, for people or for programs. */
export interface ServeOutput extends ServeReporter {
  ready(serving: Serving): void;
}
