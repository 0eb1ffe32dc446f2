import type { TunnelStatus } from '../tunnels/supervisor.ts';
import { iso } from '../views.ts';

export type TunnelView = ReturnType<typeof tunnelView>;

/** A tunnel's state as NDJSON and the API give it. */
export function tunnelView(status: TunnelStatus) {
  const { tunnel, provenAt } = status;
  const expiresAt = tunnel?.expiresAt ?? null;
  return {
    driver: status.driver,
    phase: status.phase,
    reason: status.reason,
    fix: status.fix,
    since: iso(status.since),
    url: tunnel?.url ?? null,
    leads_to: tunnel?.leadsTo ?? null,
    stable: tunnel?.stable ?? null,
    byte_exact: tunnel?.byteExact ?? null,
    can_respond: tunnel?.canRespond ?? null,
    expires_at: expiresAt === null ? null : iso(expiresAt),
    previous_url: status.previousUrl,
    restarts: status.restarts,
    proven_at: provenAt === null ? null : iso(provenAt),
  };
}
