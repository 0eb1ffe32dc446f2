/** Thrown when a budget is used up; the message names it. The code that made the budget catches it. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
}

/** Bounds work that input from outside can blow up: iterations, output, regex steps. */
export interface Budget {
  /** @throws BudgetError when more is spent than was given. */
  spend(amount: number): void;
  /** Gives the whole amount again. */
  renew(): void;
}

/** `message` becomes the error's: it says what was too much, and how much is allowed. */
export function createBudget(limit: number, message: string): Budget {
  let left = limit;
  return {
    spend(amount) {
      left -= amount;
      if (left < 0) throw new BudgetError(message);
    },
    renew() {
      left = limit;
    },
  };
}

export interface RateLimit {
  /** Tokens that come back each second. */
  readonly perSecond: number;
  /** Tokens that a full bucket holds: how many may come at once. */
  readonly burst: number;
}

/** Bounds how often something happens, with room for bursts. */
export interface TokenBucket {
  /** Takes one. 0: there was one; else the milliseconds until there is. */
  take(): number;
}

/** `now`: milliseconds that only go forward, so that a change of the clock opens nothing. */
export function createTokenBucket({ perSecond, burst }: RateLimit, now: () => number): TokenBucket {
  let tokens = burst;
  let filledAt = now();
  return {
    take() {
      const at = now();
      tokens = Math.min(burst, tokens + ((at - filledAt) / 1000) * perSecond);
      filledAt = at;
      if (tokens < 1) return ((1 - tokens) / perSecond) * 1000;
      tokens -= 1;
      return 0;
    },
  };
}
