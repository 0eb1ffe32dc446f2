import type { NoneSettings } from '../settings.ts';
import { type TunnelDriver, trackState } from '../tunnel.ts';

/** The public URL is somebody else's work (a reverse proxy, Tailscale Funnel, a tunnel started by hand). */
export const none: TunnelDriver<NoneSettings> = {
  name: 'none',
  summary: 'your own tunnel or proxy: hookctl only probes its public URL',
  silenceMs: null,
  async open(context) {
    const { state, enter } = trackState(context);
    enter('up', 'somebody else keeps it up');
    return {
      url: context.settings.publicUrl.replace(/\/+$/, ''),
      stable: true,
      byteExact: true,
      canRespond: true,
      leadsTo: null,
      expiresAt: null,
      state,
      close: async () => enter('down', 'closed'),
    };
  },
};
