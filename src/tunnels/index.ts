import { cloudflared } from './cloudflared.ts';
import { ngrok } from './ngrok.ts';
import { none } from './none.ts';
import type { TunnelName } from './settings.ts';
import { smee } from './smee.ts';
import { ssh } from './ssh.ts';
import type { TunnelDriver } from './tunnel.ts';

/** Every driver, by the name that `use` and `--tunnel` take. */
export const tunnelDrivers: Readonly<Record<TunnelName, TunnelDriver>> = {
  cloudflared,
  ssh,
  smee,
  ngrok,
  none,
};
