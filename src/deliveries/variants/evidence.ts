/** How often something went well. */
interface Rate {
  readonly name: string;
  readonly good: number;
  readonly all: number;
}

/** With fewer of either, a difference is not named. */
const FEWEST = 20;
/** A difference that chance alone makes more seldom than this is named. */
const LEVEL = 0.05;

/** What two rates tell, in one sentence. `comparisons`: among how many such sentences, because one of many is wrong by chance. */
export function verdictOn(one: Rate, other: Rate, comparisons: number): string {
  const counts = `${shown(one)}, ${shown(other)}`;
  const least = Math.min(one.all, other.all);
  if (least < FEWEST)
    return `Too few to tell ${one.name} from ${other.name}: ${counts}; at least ${FEWEST} finished tasks of each are needed.`;
  if (byChance(one, other) >= LEVEL / comparisons)
    return `No difference between ${one.name} and ${other.name} that these counts can show: ${counts}.`;
  const [better, worse] = one.good / one.all > other.good / other.all ? [one, other] : [other, one];
  return `${better.name} completes more of its tasks than ${worse.name}: ${counts}; chance alone makes such a difference in less than 1 of 20 comparisons.`;
}

function shown({ name, good, all }: Rate): string {
  const share = all === 0 ? '' : ` (${Math.round((good / all) * 100)} %)`;
  return `${name} completed ${good} of ${all}${share}`;
}

/** Probability that chance alone makes a difference at least this large: Fisher's exact test, two-sided. */
function byChance(one: Rate, other: Rate): number {
  const all = one.all + other.all;
  const good = one.good + other.good;
  const chance = (k: number) =>
    chosenLog(good, k) + chosenLog(all - good, one.all - k) - chosenLog(all, one.all);
  const seen = chance(one.good) + 1e-9;
  let sum = 0;
  for (let k = Math.max(0, good - other.all); k <= Math.min(good, one.all); k += 1) {
    const each = chance(k);
    if (each <= seen) sum += Math.exp(each);
  }
  return Math.min(1, sum);
}

/** Logarithm of the number of ways to choose `k` of `n`. */
function chosenLog(n: number, k: number): number {
  return factorialLog(n) - factorialLog(k) - factorialLog(n - k);
}

/** Stirling's series, exact to more digits than are needed from 10 on. */
function factorialLog(n: number): number {
  if (n >= 10) return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3);
  let sum = 0;
  for (let k = 2; k <= n; k += 1) sum += Math.log(k);
  return sum;
}
