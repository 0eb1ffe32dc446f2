import type { Configuration } from '../../config/index.ts';
import { ConfigError, type Diagnostic, formatDiagnostic, HookctlError, messageOf } from '../../errors.ts';
import type { StatusView } from '../../server/status.ts';
import type { Services } from '../../services.ts';
import type { Inspection } from '../check.ts';

/** What a look at one part of an installation found. */
export interface Finding {
  /** `fault`: something does not work. `warning`: it works, and a person should know. */
  readonly state: 'ok' | 'warning' | 'fault';
  readonly text: string;
  /** What to type or change; null where nothing has to be done. */
  readonly fix: string | null;
}

/** What the checks look at. */
export interface Examined {
  readonly app: Services;
  readonly inspection: Inspection;
  /** Null when it has mistakes. */
  readonly configuration: Configuration | null;
  /** Of the running server; null when none runs or it does not answer. */
  readonly server: StatusView | null;
  /** Nothing that leaves this machine is asked. */
  readonly isOffline: boolean;
  /** Takes the `Date` of a server's answer, to compare clocks. `localMs`: this machine's time when it came. */
  readonly noteDate: (host: string, date: string | undefined, localMs: number) => void;
}

/** Looks at one part. What it throws is a fault. */
export interface Check {
  readonly name: string;
  readonly look: (examined: Examined) => Promise<readonly Finding[]> | readonly Finding[];
}

export function ok(text: string): Finding {
  return { state: 'ok', text, fix: null };
}

export function warning(text: string, fix: string | null = null): Finding {
  return { state: 'warning', text, fix };
}

export function fault(text: string, fix: string | null = null): Finding {
  return { state: 'fault', text, fix };
}

/** An error as a fault, with the advice that it carries. */
export function faultOf(error: unknown): Finding {
  const [only, ...others] = error instanceof ConfigError ? error.problems : [];
  if (only !== undefined && others.length === 0) return faultAt(only);
  return fault(messageOf(error), error instanceof HookctlError ? error.fix : null);
}

/** A mistake in a file as a fault. */
export function faultAt({ fix, ...problem }: Diagnostic): Finding {
  return fault(formatDiagnostic(problem), fix ?? null);
}
