import type { Sender } from '../../types.ts';

/** The sender of what no person did: payments, alerts, pushes. Verification is all that such events need. */
export function noPerson(id: string, name: string): Sender {
  return { id, name, kind: 'system', association: null, appId: null };
}
