import { expect, test } from 'vitest';
import { folded } from '../../src/cli/serve/filters.ts';
import { humanOutput } from '../../src/cli/serve/terminal.ts';

function printed() {
  let text = '';
  const stream = {
    isTerminal: false,
    color: false,
    write(more: string) {
      text += more;
    },
  };
  const output = folded(humanOutput({ out: stream, err: stream }));
  return { output, lines: () => text.trimEnd().split('\n') };
}

test('a failure that comes a thousand times is told once, and then how often it came', () => {
  const { output, lines } = printed();
  for (let n = 0; n < 1_000; n += 1) output.broken(new Error('no space left on device'));
  output.broken(new Error('another'));
  expect(lines()).toHaveLength(2);
  output.state('stopping', 'SIGTERM');
  expect(lines()).toHaveLength(4);
  expect(lines()[2]).toContain('no space left on device (999 more times in 10 s)');
});

test('failures that are all different do not fill the log either', () => {
  const { output, lines } = printed();
  for (let n = 0; n < 5_000; n += 1) output.broken(new Error(`failure ${n}`));
  expect(lines().length).toBeLessThanOrEqual(101);
  output.state('stopping', 'SIGTERM');
  expect(lines().at(-2)).toMatch(/further failures \(4899 more times/);
});
