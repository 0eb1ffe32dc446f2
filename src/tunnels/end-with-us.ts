import { spawn } from 'node:child_process';

/** Its input ends when hookctl does, however that came about. Then SIGTERM, and SIGKILL for what stays. */
const GUARD = 'read -r _; kill -s TERM -- "-$1"; sleep 5; kill -s KILL -- "-$1"';

/**
 * Ends a process group when this process dies without the chance to do so itself (`kill -9`, out of memory). ssh,
 * cloudflared and ngrok would run on for ever, and lead strangers to whatever listens on the ingress port next.
 * A shell that reads a pipe from us waits for that. Returns how to take the guard away, for when the group is gone.
 */
export function endWithUs(processGroup: number): () => Promise<void> {
  const args = ['-c', GUARD, 'hookctl-guard', String(processGroup)];
  // A group of its own, or Ctrl-C in the terminal would end the guard before hookctl has stopped the program.
  const guard = spawn('/bin/sh', args, { detached: true, env: {}, stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = new Promise<void>((resolve) => {
    guard.once('close', () => resolve());
    // A machine that can't start a shell still has its tunnel.
    guard.once('error', () => resolve());
  });
  return async () => {
    guard.kill('SIGKILL');
    await ended;
  };
}
