import { z } from 'zod';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

const BYTES: Readonly<Record<string, number>> = { KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };

/** `2GB`, `500MB` → bytes. */
export const byteSize = z
  .string()
  .regex(/^[1-9]\d{0,5}[KMGT]B$/, 'expected a size: a number and KB, MB, GB or TB, such as 2GB')
  .transform((text) => Number.parseInt(text, 10) * (BYTES[text.slice(-2)] ?? 0));

/** `30d`, `20m`, `90s`, as it is written. */
export const timeSpan = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhdw]$/, 'expected a time: a number and s, m, h, d or w, such as 30d');

/** `30d` → milliseconds. */
export function milliseconds(text: z.output<typeof timeSpan>): number {
  return Number.parseInt(text, 10) * (SECONDS[text.slice(-1)] ?? 0) * 1000;
}

/** `30d`, `20m`, `90s` → milliseconds. */
export const duration = timeSpan.transform(milliseconds);

/** The name of an environment variable. The message never repeats the value: people paste the secret itself here. */
export const variableName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    'expected the name of an environment variable, not the secret itself (such as GITHUB_WEBHOOK_SECRET)',
  );
