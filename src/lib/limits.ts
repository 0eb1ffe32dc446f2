/** Thrown when a budget is used up; the message says of what. Whoever made the budget catches it. */
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
