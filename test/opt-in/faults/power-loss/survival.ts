import type { Random } from '../../../support/random.ts';
import { EVERYTHING, type Survival } from './disk.ts';

const PAGE = 4_096;
/** Disks write so many bytes at once, or are torn. */
const SECTOR = 512;

/** What may be left of what was not synced. Most of it is between nothing and everything. */
const SURVIVALS: Readonly<Record<string, (random: Random) => Survival>> = {
  'nothing survives': () => ({ unit: PAGE, file: () => () => 0, folder: () => () => false }),
  'some pages survive': (random) => ({ ...some(random), unit: PAGE }),
  'each file up to a change survives': (random) => upToAChange(random),
  'some sectors survive': (random) => ({ ...some(random), unit: SECTOR }),
  'everything survives': () => EVERYTHING,
};

/** Takes each kind in turn. */
export function survivalOf(
  index: number,
  random: Random,
): { readonly name: string; readonly survival: Survival } {
  const kinds = Object.entries(SURVIVALS);
  const [name, make] = kinds[index % kinds.length] ?? ['', () => EVERYTHING];
  return { name, survival: make(random) };
}

/** In any order. None and all of them are as likely as one between. */
function some(random: Random): Omit<Survival, 'unit'> {
  return {
    file: (changes) => () => random.pick([0, random.below(changes + 1), changes]),
    folder: () => () => random.below(2) === 1,
  };
}

/** In order, the last one in part. */
function upToAChange(random: Random): Survival {
  return {
    unit: PAGE,
    file: (changes) => {
      const whole = random.below(changes + 1);
      return () => Math.min(changes, whole + random.below(2));
    },
    folder: (changes) => {
      const whole = random.below(changes + 1);
      return (index) => index < whole;
    },
  };
}
