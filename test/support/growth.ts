/**
 * How much longer a piece of work takes on four times the input: about 4 where its time is in proportion to the length, 16 where it
 * grows with the square. The shortest of several rounds counts, because a busy machine only ever adds time.
 */
export function growth(work: (times: number) => void, n: number): number {
  const shortest = (times: number) =>
    Math.min(
      ...Array.from({ length: 7 }, () => {
        const from = process.cpuUsage();
        work(times);
        const { user, system } = process.cpuUsage(from);
        return user + system;
      }),
    );
  work(n);
  // Below two milliseconds a collection of garbage is longer than the work; what grows with the square takes far more on 4n.
  return shortest(4 * n) / Math.max(shortest(n), 2_000);
}

/** Between 4 and 16; caches that the larger input no longer fits add up to half as much again. */
export const LINEAR = 11;
