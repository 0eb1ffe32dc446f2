import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import type { Agent } from 'undici';
import { isPrivateAddress } from '../lib/http/addresses.ts';
import { flattenHeaders } from '../lib/http/headers.ts';
import type { CallAnswer, Headers } from '../types.ts';

/** An HTTP request as it is sent. */
export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | Uint8Array | null;
  /** The name in the URL may lead to an address that is not public. */
  readonly privateNetwork: boolean;
}

/** Sends one request and reads the answer to its end; follows no redirect. */
export interface Transport {
  /** Throws `TransportError`. */
  send(request: WireRequest): Promise<CallAnswer>;
  close(): Promise<void>;
}

/** No whole answer came. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  /** True when there was no connection, so that the request was not seen. */
  readonly unseen: boolean;

  constructor(message: string, unseen: boolean, cause: unknown) {
    super(message, { cause });
    this.unseen = unseen;
  }
}

/** Resolves a name, as `dns.lookup` does; tests bring their own. */
type Resolve = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface TransportOptions {
  /** From connecting to the last byte, in milliseconds. Default 10 s. */
  readonly deadlineMs?: number;
  readonly resolve?: Resolve;
  /** Longer answers are an error. Default 1 MB. */
  readonly maxAnswerBytes?: number;
}

const DEADLINE_MS = 10_000;
const MAX_ANSWER_BYTES = 1_000_000;
/** Before these, a request has not left. */
const UNSEEN =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|EPROTO|EPRIVATE|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|\w*SELF_SIGNED\w*|UNABLE_TO_\w+)$/;

type UndiciModule = typeof import('undici');

/** The connections are kept from one request to the next; undici is read at the first. */
export function createTransport({
  deadlineMs = DEADLINE_MS,
  resolve = systemLookup,
  maxAnswerBytes = MAX_ANSWER_BYTES,
}: TransportOptions = {}): Transport {
  const agents = new Map<boolean, Agent>();

  function agentFor({ Agent: Pool }: UndiciModule, privateNetwork: boolean): Agent {
    const known = agents.get(privateNetwork);
    if (known !== undefined) return known;
    const agent = new Pool({
      connect: { timeout: deadlineMs, lookup: checkedLookup(resolve, privateNetwork) },
      headersTimeout: deadlineMs,
      bodyTimeout: deadlineMs,
      maxResponseSize: maxAnswerBytes,
      maxRedirections: 0,
    } as ConstructorParameters<typeof Pool>[0]);
    agents.set(privateNetwork, agent);
    return agent;
  }

  return {
    async send({ method, url, headers, body, privateNetwork }) {
      const undici = await import('undici');
      try {
        const answer = await undici.request(url, {
          method: method as 'GET',
          headers,
          body,
          dispatcher: agentFor(undici, privateNetwork),
          signal: AbortSignal.timeout(deadlineMs),
        });
        return {
          status: answer.statusCode,
          headers: flattenHeaders(answer.headers),
          text: await answer.body.text(),
        };
      } catch (error) {
        throw explain(error, new URL(url).host);
      }
    },
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}

/**
 * Checks the addresses at the moment of connecting: a name that was public when it was configured can lead into the
 * own network now. One private answer among public ones refuses them all.
 */
function checkedLookup(resolve: Resolve, privateNetwork: boolean) {
  return (
    hostname: string,
    options: LookupOptions,
    callback: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const refused = privateNetwork ? undefined : addresses.find(({ address }) => isPrivateAddress(address));
      const [first] = addresses;
      if (refused !== undefined || first === undefined) {
        return callback(leadsInside(hostname, refused?.address ?? 'nowhere'), '');
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function leadsInside(hostname: string, address: string): Error {
  const message = `${hostname} leads to ${address}, which is not public; if that is meant, say privateNetwork: true beside the URL`;
  return Object.assign(new Error(message), { code: 'EPRIVATE' });
}

function explain(error: unknown, host: string): TransportError {
  const { code = '', message = String(error), name } = error as NodeJS.ErrnoException;
  const said = name === 'TimeoutError' ? 'no whole answer in time' : message === '' ? code : message;
  return new TransportError(`${host}: ${said}`, UNSEEN.test(code), error);
}
