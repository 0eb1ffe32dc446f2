import type { TunnelName } from '../settings.ts';
import type { TunnelDriver } from '../tunnel.ts';
import { cloudflared } from './cloudflared.ts';
import { ngrok } from './ngrok.ts';
import { none } from './none.ts';
import { smee } from './smee/index.ts';
import { ssh } from './ssh.ts';

/** Every driver, by the name that `use` and `--tunnel` take. */
export const tunnelDrivers: Readonly<Record<TunnelName, TunnelDriver>> = {
  cloudflared,
  ssh,
  smee,
  ngrok,
  none,
};
