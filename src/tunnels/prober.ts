import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Environment } from '../lib/process/subprocess.ts';
import type { Headers } from '../types.ts';
import { networkReason, send } from './http.ts';
import type { TunnelClock, TunnelFacts } from './tunnel.ts';

/** Where probes go. The ingress answers them 204 and stores nothing. */
export const PROBE_PATH = '/webhooks/hookctl-probe';
/** Carries `<nonce>.<mac>`. The ingress gives it back, which shows that the answer, too, found its way. */
export const PROBE_HEADER = 'x-hookctl-probe';

/** A new key; one per process, so that no other hookctl on the same relay takes our probes for its own. */
export function newProbeKey(): Uint8Array {
  return randomBytes(32);
}

/** The value of the probe header, another one each time. `now` (epoch ms) is in it for people who read logs. */
export function makeProbe(key: Uint8Array, now: number): string {
  const nonce = `${now.toString(36)}-${randomBytes(12).toString('hex')}`;
  return `${nonce}.${macOf(nonce, key)}`;
}

/** Whether a request is a probe made with this key. Constant time. A repeated probe is still one, and does nothing. */
export function isProbe(path: string, headers: Headers, key: Uint8Array): boolean {
  const [nonce, claimed, ...rest] = (headers[PROBE_HEADER] ?? '').split('.');
  if (path !== PROBE_PATH || !nonce || !claimed || rest.length > 0) return false;
  const given = Buffer.from(claimed);
  const right = Buffer.from(macOf(nonce, key));
  return given.length === right.length && timingSafeEqual(given, right);
}

function macOf(nonce: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(`hookctl-probe ${nonce}`).digest('hex');
}

const PUBLIC_TIMEOUT_MS = 10_000;
const LOOPBACK_TIMEOUT_MS = 2_000;

/** smee.io takes nothing but JSON objects. */
const BODY = '{"hookctl":"probe"}';
const HEADERS: Headers = {
  'content-type': 'application/json',
  'user-agent': 'hookctl',
  // Else ngrok may answer with a page for people instead of passing the request on.
  'ngrok-skip-browser-warning': '1',
};

/** Answers for a tunnel that no longer has a client (52x, 530: Cloudflare). */
const GATEWAY_ERRORS = new Set([502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530]);
/** Says nothing about the tunnel: a relay that wants signatures, or fewer requests. */
const REFUSALS = new Set([401, 403, 429]);

/** The part that failed when a probe did not arrive. `unknown`: the probe itself was refused. */
type ProbeCulprit = 'tunnel' | 'ingress' | 'url' | 'unknown';

export type ProbeResult =
  | { readonly ok: true; readonly tookMs: number }
  | { readonly ok: false; readonly culprit: ProbeCulprit; readonly detail: string };

export type ProbedTunnel = Pick<TunnelFacts, 'url' | 'leadsTo' | 'canRespond'>;

/** Sends probes and hears of their arrival. One per process: the ingress and the supervisor share it. */
export interface Prober {
  /**
   * For the ingress, before it looks up a webhook: true when the request is a probe of ours. It is then answered 204
   * with `PROBE_HEADER` given back, and forgotten.
   */
  accept(path: string, headers: Headers): boolean;
  /** Sends a probe through the tunnel; when it does not arrive, finds the part that failed. Never throws. */
  probe(tunnel: ProbedTunnel, signal: AbortSignal): Promise<ProbeResult>;
}

interface ProberOptions {
  readonly ingressPort: number;
  readonly clock: TunnelClock;
  readonly env: Environment;
}

/** What came of one probe request. */
interface Attempt {
  readonly arrived: boolean;
  readonly echoed: boolean;
  /** Null when there was no answer. */
  readonly status: number | null;
  /** In words: `it answered 404`, `ECONNREFUSED`. */
  readonly answer: string;
  /** The answer came from the tunnel service, which has lost the tunnel. */
  readonly dead: boolean;
}

interface AttemptOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly env: Environment;
  /** A relay answers first and delivers afterwards. */
  readonly answersFirst: boolean;
}

export function createProber({ ingressPort, clock, env }: ProberOptions): Prober {
  const key = newProbeKey();
  const awaited = new Map<string, () => void>();

  async function attempt(url: string, options: AttemptOptions): Promise<Attempt> {
    const value = makeProbe(key, clock.now());
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
    const arrival = Promise.withResolvers<boolean>();
    awaited.set(value, () => arrival.resolve(true));
    try {
      const headers = { ...HEADERS, [PROBE_HEADER]: value };
      const answer = await send(url, { ...options, method: 'POST', headers, body: BODY });
      const { status } = answer;
      if (options.answersFirst && status < 300) onAbort(signal, () => arrival.resolve(false));
      else arrival.resolve(false);
      return {
        arrived: await arrival.promise,
        echoed: status === 204 && answer.headers[PROBE_HEADER] === value,
        status,
        answer: `it answered ${status}`,
        dead: GATEWAY_ERRORS.has(status) || answer.headers['ngrok-error-code'] === 'ERR_NGROK_3200',
      };
    } catch (error) {
      arrival.resolve(false);
      const arrived = await arrival.promise;
      return { arrived, echoed: false, status: null, answer: networkReason(error), dead: true };
    } finally {
      awaited.delete(value);
    }
  }

  return {
    accept(path, headers) {
      if (!isProbe(path, headers, key)) return false;
      awaited.get(headers[PROBE_HEADER] ?? '')?.();
      return true;
    },
    async probe(tunnel, signal) {
      const startedAt = clock.now();
      const isRelay = tunnel.leadsTo !== null;
      const outside = await attempt(isRelay ? tunnel.url : tunnel.url + PROBE_PATH, {
        timeoutMs: clock.scaled(PUBLIC_TIMEOUT_MS),
        answersFirst: isRelay,
        signal,
        env,
      });
      if (outside.arrived && (outside.echoed || !tunnel.canRespond)) {
        return { ok: true, tookMs: clock.now() - startedAt };
      }
      const inside = await attempt(`http://127.0.0.1:${ingressPort}${PROBE_PATH}`, {
        timeoutMs: clock.scaled(LOOPBACK_TIMEOUT_MS),
        answersFirst: false,
        signal,
        env: {},
      });
      return { ok: false, ...diagnose(tunnel, outside, inside) };
    },
  };
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}

/** From outside a dead ingress, a dead tunnel and a wrong URL look alike; beside a probe from inside they do not. */
function diagnose(
  { url, leadsTo }: ProbedTunnel,
  outside: Attempt,
  inside: Attempt,
): { readonly culprit: ProbeCulprit; readonly detail: string } {
  const { answer } = outside;
  if (!inside.arrived) {
    return { culprit: 'ingress', detail: `the ingress is dead, on this machine too: ${inside.answer}` };
  }
  if (outside.arrived) {
    return {
      culprit: 'tunnel',
      detail: `requests arrive through ${url}, but answers do not get back: ${answer}`,
    };
  }
  if (outside.dead) return { culprit: 'tunnel', detail: `the tunnel is dead: ${url}: ${answer}` };
  if (REFUSALS.has(outside.status ?? 0)) {
    return { culprit: 'unknown', detail: `${url} refuses the probe: ${answer}` };
  }
  if (leadsTo !== null && (outside.status ?? 0) < 300) {
    return { culprit: 'tunnel', detail: `the tunnel is dead: the relay took a probe and did not deliver it` };
  }
  return {
    culprit: 'url',
    detail: `wrong URL: ${url} leads somewhere else (${answer}, nothing arrived here)`,
  };
}
