import type { z } from 'zod';

/** One operation of the management API. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below `/api`, as Hono writes it. */
  readonly path: string;
  /** What it does, in a few words. */
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** A body that it takes. */
  readonly example?: object;
  readonly status?: 200 | 201 | 204;
  /** Null when it has no body. */
  readonly answer: z.ZodType | null;
  /** Statuses of its refusals, beside those that every request can get. */
  readonly errors?: readonly (404 | 409 | 422)[];
}
