import type { ConfigProblem } from '../errors.ts';
import { type Diagnostic, diagnosticsOf, type Path } from '../lib/diagnostics.ts';

export { type Diagnostic as Fault, diagnosticsOf, type Path };

export interface Position {
  readonly line?: number;
  readonly column?: number;
}

/** Where a value was written. */
export interface Source {
  /** Absolute path. */
  readonly file: string;
  /** The best position known for a fault; empty when there is none. */
  position(fault: Diagnostic): Position;
}

/** A fault with its place. `prefix` is where in the file the faulty value stands. */
export function toProblem(source: Source, fault: Diagnostic, prefix: Path = []): ConfigProblem {
  const path = [...prefix, ...fault.path];
  return {
    file: source.file,
    ...source.position({ ...fault, path }),
    ...(path.length === 0 ? {} : { field: path.join('.') }),
    message: fault.message,
    ...(fault.fix === undefined ? {} : { fix: fault.fix }),
  };
}
