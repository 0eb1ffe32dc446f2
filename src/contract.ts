/**
 * `hookctl/contract`: what every provider has to hold, as named checks for any test runner. hookctl's own providers
 * are held to the same.
 *
 * @example
 * import { test } from 'node:test';
 * import { providerContract } from 'hookctl/contract';
 * import { tickets } from '../webhooks/tickets.ts';
 *
 * for (const { name, run } of providerContract(tickets)) test(name, run);
 *
 * @module
 */
import { junkChecks } from './contract/junk.ts';
import { proofChecks } from './contract/proof.ts';
import { sampleChecks } from './contract/samples.ts';
import type { ContractCheck, ContractOptions } from './contract/subject.ts';
import { subjectOf } from './contract/subject.ts';
import type { DefinedProvider } from './types/defined-provider.ts';
import type { Provider } from './types.ts';

export type { ContractCheck, ContractOptions } from './contract/subject.ts';

/**
 * The checks of one provider; each throws what is wrong. Throws at once when the definition itself has mistakes.
 * Providers without samples have but a few: samples are what the others are made of.
 */
export function providerContract(
  provider: DefinedProvider | Provider,
  options: ContractOptions = {},
): readonly ContractCheck[] {
  const subject = subjectOf(provider, options);
  return [...sampleChecks(subject), ...proofChecks(subject), ...junkChecks(subject)];
}
