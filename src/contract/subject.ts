import { secret } from '../lib/redact/redact.ts';
import { type DefinedProvider, providerDraft } from '../types/defined-provider.ts';
import type { JsonObject, Provider, RawRequest, Sample, WebhookSecret } from '../types.ts';

/** One promise of a provider. */
export interface ContractCheck {
  /** What a user relies on, as the name of a test. */
  readonly name: string;
  /** Resolves when it holds, throws what does not. */
  readonly run: () => void;
}

export interface ContractOptions {
  /** The secret with which samples are signed. Default: one that the provider makes. */
  readonly secret?: string | undefined;
  /** Options of a webhook, where the provider takes settings. */
  readonly options?: JsonObject | undefined;
}

/** The moment in which all requests are made. */
export const NOW = new Date('2026-11-23T12:00:00.000Z');
/** What people write in samples: everything that a careless reader changes. */
export const TEXT = '@agent Analyze <why> & "how" é';

const URL_OF_ALL = 'https://hooks.test/webhooks/contract';

/** A provider under test, and how requests are made in its name. */
export interface Subject {
  readonly provider: Provider;
  readonly secret: string;
  /** Another secret in the same form. */
  readonly otherSecret: string;
  /** A sample's payload, with fresh ids each time. */
  build(sample: Sample): JsonObject;
  /** A body as the sender would send it. */
  signed(body: Uint8Array, type: string, secret?: string): RawRequest;
}

/** Throws an error with all mistakes when the definition has some. */
export function subjectOf(given: DefinedProvider | Provider, options: ContractOptions): Subject {
  const provider = shaped(readProvider(given), options.options);
  const fresh = provider.newSecret ?? (() => 'a-secret-of-the-contract');
  const own = options.secret ?? fresh();
  const other = fresh();
  let number = 1_000_000;
  return {
    provider,
    secret: own,
    otherSecret: other === own ? `${other}-of-another` : other,
    build: (sample) => sample.build({ text: TEXT, now: NOW, nextNumber: () => ++number }),
    signed(body, type, value = own) {
      const context = {
        type,
        secret: secret(value),
        deliveryId: `0b1a2c3d-0000-4000-8000-${++number}`,
        now: NOW,
        url: URL_OF_ALL,
      };
      return { query: '', publicUrl: () => URL_OF_ALL, ...provider.sign(body, context) };
    },
  };
}

/** Secrets as a webhook has them. */
export function secretsOf(...values: readonly string[]): readonly WebhookSecret[] {
  return values.map((value) => ({ value: secret(value), expiresAt: null }));
}

export function toJson(payload: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(payload), 'utf8');
}

function readProvider(given: DefinedProvider | Provider): Provider {
  const draft = providerDraft(given);
  if (draft === null) return given as Provider;
  if (draft.result.ok) return draft.result.provider;
  throw new Error(mistakes(draft.name, draft.result.issues));
}

function shaped(provider: Provider, options: ContractOptions['options']): Provider {
  if (options === undefined) return provider;
  const configured = provider.configure?.(options) ?? { ok: true, provider };
  if (configured.ok) return configured.provider;
  throw new Error(mistakes(provider.name, configured.issues));
}

function mistakes(
  name: string,
  issues: readonly { readonly path: readonly unknown[]; readonly message: string }[],
) {
  return [
    `${name} has mistakes:`,
    ...issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
  ].join('\n  ');
}
