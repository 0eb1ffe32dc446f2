import { type FailureFacts, HookctlError } from '../errors.ts';
import type { Environment } from '../lib/process/subprocess.ts';
import type { TunnelSettings } from './settings.ts';

/** `connecting → up → degraded → down`: up carries requests, degraded is in doubt, down carries none. */
export type TunnelPhase = 'connecting' | 'up' | 'degraded' | 'down';

/** The phase of a tunnel, and why. Never changed: each change is a new value. */
export interface TunnelState {
  readonly phase: TunnelPhase;
  /** In words, for the user. */
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** What a user must know to rely on a tunnel. */
export interface TunnelFacts {
  /** Without a slash at the end. */
  readonly url: string;
  /** The same URL after a restart: it can be entered at a provider once and for all. */
  readonly stable: boolean;
  /** Bodies arrive as they were sent; where they do not, signatures cannot be checked. */
  readonly byteExact: boolean;
  /** hookctl's answer reaches the sender; where it does not, the sender sees the relay's own. */
  readonly canRespond: boolean;
  /** A relay has one URL for one path of the ingress (`/webhooks/github`); null when the URL takes every path. */
  readonly leadsTo: string | null;
  /** Epoch milliseconds at which the service will end it; null when it says nothing of the kind. */
  readonly expiresAt: number | null;
}

/** A public URL that leads to the ingress socket, and to nothing else. */
export interface OpenTunnel extends TunnelFacts {
  /** As the driver sees it. Once `down` it stays so: the supervisor opens another. */
  state(): TunnelState;
  /** Ends it; leaves no process, socket or timer. May be called more than once. */
  close(): Promise<void>;
}

/** What a driver tells while it runs. */
export type TunnelNews =
  | { readonly kind: 'state'; readonly state: TunnelState }
  /** The service gave the tunnel another address. */
  | { readonly kind: 'url'; readonly url: string }
  /** Bytes came from the other side (for drivers with a `silenceMs`). */
  | { readonly kind: 'alive' }
  /** All up to this event id is delivered: the next connection resumes after it. Null when it shall be forgotten. */
  | { readonly kind: 'position'; readonly id: string | null };

/** Time, as tunnels use it. */
export interface TunnelClock {
  /** Epoch milliseconds by the wall clock, which goes on while the machine sleeps. */
  readonly now: () => number;
  readonly random: () => number;
  /** Turns each designed duration into the one to wait; the identity, but for tests that are in a hurry. */
  readonly scaled: (ms: number) => number;
}

export interface OpenContext<S extends TunnelSettings = TunnelSettings> {
  readonly ingressPort: number;
  /** Ends the attempt, or the open tunnel. */
  readonly signal: AbortSignal;
  readonly settings: S;
  readonly env: Environment;
  /** A private folder for what drivers keep (known hosts, an empty configuration). Made if it is missing. */
  readonly folder: string;
  readonly clock: TunnelClock;
  /** Marks requests whose body a relay has changed; see `relay.ts`. */
  readonly relayKey: string;
  /** Position told by the connection before this one. */
  readonly resumeAfter: string | null;
  readonly report: (news: TunnelNews) => void;
}

/**
 * One way to a public URL. One file each; the contract suite in `test/contracts/tunnels.test.ts` runs over every
 * entry of `tunnels/index.ts`. A driver makes one connection; opening it again is the supervisor's work.
 */
export interface TunnelDriver<S extends TunnelSettings = TunnelSettings> {
  readonly name: S['use'];
  /** For `tunnel list`, one line. */
  readonly summary: string;
  /** The program that it runs, and how a user gets it. Left out: none. */
  readonly needs?: { readonly program: string; readonly howToGet: string };
  /** The longest silence of a healthy connection, in milliseconds; null when silence says nothing. */
  readonly silenceMs: number | null;
  /** Resolves when the URL is there. Throws `TunnelFailure`. */
  open(context: OpenContext<S>): Promise<OpenTunnel>;
}

interface TunnelFailureFacts extends FailureFacts {
  /** The soonest moment at which trying again makes sense, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** No use in trying again before somebody has changed something. */
  readonly final?: boolean;
}

/** A tunnel that did not open. */
export class TunnelFailure extends HookctlError {
  override readonly name = 'TunnelFailure';
  readonly retryAfterMs: number;
  readonly final: boolean;

  constructor(message: string, facts: TunnelFailureFacts = {}) {
    super('tunnel_failed', 1, message, facts);
    this.retryAfterMs = facts.retryAfterMs ?? 0;
    this.final = facts.final ?? false;
  }
}

/** Keeps a driver's state and tells each change; after `down` nothing changes any more. */
export function trackState(context: Pick<OpenContext, 'clock' | 'report'>): {
  readonly state: () => TunnelState;
  readonly enter: (phase: TunnelPhase, reason: string) => void;
} {
  let state: TunnelState = { phase: 'connecting', reason: 'opening', since: context.clock.now() };
  return {
    state: () => state,
    enter(phase, reason) {
      if (state.phase === 'down' || (state.phase === phase && state.reason === reason)) return;
      state = { phase, reason, since: context.clock.now() };
      context.report({ kind: 'state', state });
    },
  };
}

/** The public address of an endpoint (`/webhooks/github`); null when the tunnel does not lead there. */
export function publicUrl(tunnel: Pick<TunnelFacts, 'url' | 'leadsTo'>, endpoint: string): string | null {
  if (tunnel.leadsTo === null) return `${tunnel.url}${endpoint}`;
  return tunnel.leadsTo === endpoint ? tunnel.url : null;
}
