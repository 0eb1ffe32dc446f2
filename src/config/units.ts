import { z } from 'zod';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const BYTES: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** `30d`, `20m`, `90s` → milliseconds. */
export const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhdw]$/, 'expected a time: a number and s, m, h, d or w, such as 30d')
  .transform((text) => Number.parseInt(text, 10) * (SECONDS[text.slice(-1)] ?? 0) * 1000);

/** `2GB`, `500MB` → bytes (1 MB = 1,000,000). */
export const byteSize = z
  .string()
  .regex(/^[1-9]\d{0,5}[KMGT]B$/, 'expected a size: a number and KB, MB, GB or TB, such as 2GB')
  .transform((text) => Number.parseInt(text, 10) * (BYTES[text.slice(-2)] ?? 0));
