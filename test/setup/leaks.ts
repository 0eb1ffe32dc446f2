import { beforeEach } from 'vitest';

/** What a test may not leave behind: servers, watchers, children, threads. */
const WATCHED = ['TCPSERVERWRAP', 'PIPESERVERWRAP', 'FSEVENTWRAP', 'PROCESSWRAP', 'WORKER'];
const PATIENCE_MS = 3_000;
const POLL_MS = 20;

let before: readonly string[] = [];

beforeEach(({ onTestFinished }) => {
  before = open();
  // Registered first, so it runs last: after all that a test registers to close what it opened.
  onTestFinished(async () => {
    for (const deadline = Date.now() + PATIENCE_MS; leaked().length > 0; await pause()) {
      if (Date.now() > deadline) throw new Error(`the test left open: ${leaked().join(', ')}`);
    }
  });
});

function open(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => WATCHED.includes(name.toUpperCase()));
}

function leaked(): readonly string[] {
  const rest = [...before];
  return open().filter((name) => {
    const at = rest.indexOf(name);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, POLL_MS);
  });
}
