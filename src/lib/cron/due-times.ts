import { Cron } from 'croner';

/** When something comes due: a cron expression in the time of a zone, such as Europe/Berlin. */
interface CronSettings {
  readonly cron: string;
  readonly timeZone: string;
}

/** Due times that are looked for at once; of more the newest. */
export const MOST_DUE = 1_000;

/** Why an expression can't be used; null when it can. */
export function cronMistake(
  { cron, timeZone }: CronSettings,
  now: number,
): { readonly field: 'cron' | 'timeZone'; readonly message: string } | null {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    return { field: 'timeZone', message: `there is no time zone ${timeZone}` };
  }
  try {
    if (nextDue({ cron, timeZone }, now) !== null) return null;
    return { field: 'cron', message: `${cron} never comes due` };
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    return { field: 'cron', message: `${cron} is no cron expression: ${why}` };
  }
}

/** The first due time after a moment. */
export function nextDue({ cron, timeZone }: CronSettings, after: number): number | null {
  return new Cron(cron, { timezone: timeZone }).nextRun(new Date(after))?.getTime() ?? null;
}

/** The newest due times after `since` and up to `until`, oldest first, at most 1,000. */
export function dueWithin({ cron, timeZone }: CronSettings, since: number, until: number): readonly number[] {
  const job = new Cron(cron, { timezone: timeZone });
  const due: number[] = [];
  for (let at = since; due.length < MOST_DUE; ) {
    const next = job.nextRun(new Date(at))?.getTime() ?? Number.POSITIVE_INFINITY;
    if (next > until) return due;
    due.push(next);
    at = next;
  }
  const newest = job.previousRuns(MOST_DUE, new Date(until + 1_000)).map((date) => date.getTime());
  return newest.filter((at) => at > since && at <= until).toSorted((a, b) => a - b);
}
