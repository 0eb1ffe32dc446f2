/** A circuit breaker: while a host does not answer, only one of the waiting items probes it now and then. */
interface Breaker {
  /** Epoch milliseconds before which the host gets no request. Null when it may get one now. */
  blockedUntil(host: string, now: number): number | null;
  succeeded(host: string): void;
  failed(host: string, now: number): void;
  /** The host itself asked for a pause. */
  pause(host: string, until: number): void;
}

/** Failures in a row that open the circuit. */
const THRESHOLD = 5;

interface Circuit {
  readonly failures: number;
  readonly until: number;
  /** A probe is under way. */
  readonly probing: boolean;
}

const CLOSED: Circuit = { failures: 0, until: 0, probing: false };

/** `openMs`: how long a host is left alone once it failed five times in a row, and again after each failed probe. */
export function createBreaker(openMs: number): Breaker {
  const circuits = new Map<string, Circuit>();
  const circuitOf = (host: string) => circuits.get(host) ?? CLOSED;
  return {
    blockedUntil(host, now) {
      const circuit = circuitOf(host);
      if (now < circuit.until) return circuit.until;
      if (circuit.failures < THRESHOLD) return null;
      if (circuit.probing) return now + openMs;
      circuits.set(host, { ...circuit, probing: true });
      return null;
    },
    succeeded: (host) => void circuits.delete(host),
    failed(host, now) {
      const { failures, until } = circuitOf(host);
      const open = failures + 1 >= THRESHOLD;
      circuits.set(host, {
        failures: failures + 1,
        until: open ? Math.max(until, now + openMs) : until,
        probing: false,
      });
    },
    pause(host, until) {
      const circuit = circuitOf(host);
      circuits.set(host, { ...circuit, until: Math.max(circuit.until, until), probing: false });
    },
  };
}
