import { expect, test } from 'vitest';
import { folded, terminalListener } from '../../src/cli/serve/listeners.ts';

function printed() {
  let text = '';
  const stream = {
    isTerminal: false,
    color: false,
    write(more: string) {
      text += more;
    },
  };
  const listen = folded(terminalListener({ out: stream, err: stream }));
  return {
    broken: (message: string) => listen({ type: 'broken', error: new Error(message) }),
    stop: () => listen({ type: 'state', state: 'stopping', reason: 'SIGTERM' }),
    lines: () => text.trimEnd().split('\n'),
  };
}

test('folded: a failure that comes a thousand times is shown once, then how often it came', () => {
  const { broken, stop, lines } = printed();
  for (let n = 0; n < 1_000; n += 1) broken('no space left on device');
  broken('another');
  expect(lines()).toHaveLength(2);
  stop();
  expect(lines()).toHaveLength(4);
  expect(lines()[2]).toContain('no space left on device (999 more times in 10 s)');
});

test('folded: failures that all differ do not fill the log either', () => {
  const { broken, stop, lines } = printed();
  for (let n = 0; n < 5_000; n += 1) broken(`failure ${n}`);
  expect(lines().length).toBeLessThanOrEqual(101);
  stop();
  expect(lines().at(-2)).toMatch(/further failures \(4899 more times/);
});
