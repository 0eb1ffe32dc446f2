import { describe, expect, it } from 'vitest';
import { createKeyFilter } from '../../src/store/local/log/key-filter.ts';

describe('the filter of dedupe keys', () => {
  it('misses no key over several layers, and takes few others for added ones', () => {
    const filter = createKeyFilter();
    const keyOf = (index: number) => `github\nid:73a02526-f6c8-4e5e-95e1-${index}`;
    for (let index = 0; index < 150_000; index += 1) filter.add(keyOf(index));
    const others = Array.from({ length: 20_000 }, (_, index) => keyOf(150_000 + index));
    const missed = Array.from({ length: 150_000 }, (_, index) => keyOf(index)).filter(
      (key) => !filter.mayHave(key),
    );
    expect(missed).toEqual([]);
    expect(others.filter(filter.mayHave).length).toBeLessThan(400);
  });

  it('grows before it takes most other keys for added ones', () => {
    const filter = createKeyFilter();
    for (let index = 0; index < 600_000; index += 1) filter.add(`a\nid:${index}`);
    const others = Array.from({ length: 2_000 }, (_, index) => `b\nid:${index}`);
    expect(others.filter(filter.mayHave).length).toBeLessThan(100);
  });

  it('has none of the keys that were never added', () => {
    expect(createKeyFilter().mayHave('github\nid:1')).toBe(false);
  });
});
