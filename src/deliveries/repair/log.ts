import { hash } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';

/** Characters of a log in a prompt. */
const LONGEST = 8_000;
const LINES_BEFORE = 150;
const LINES_AFTER = 5;

/** Where GitHub's runner, and most tools, say that something went wrong. */
const ERROR = /##\[error\]|(?:^|\W)(?:error|fatal|failed|FAIL|panic|Traceback|✗|✖)(?:\W|$)/;

/** The part of a log that matters: what leads to its last error, without timestamps and colours. */
export function endOfLog(log: string): string {
  const lines = stripVTControlCharacters(log)
    .split(/\r?\n/)
    .map((line) => line.replace(/^\uFEFF?\d{4}-\d\d-\d\dT[\d:.]+Z /, ''));
  const marked = lines.findLastIndex((line) => line.includes('##[error]'));
  const last = marked >= 0 ? marked : lines.findLastIndex((line) => ERROR.test(line));
  const end = last < 0 ? lines.length : Math.min(lines.length, last + 1 + LINES_AFTER);
  const part = lines
    .slice(Math.max(0, end - LINES_BEFORE - LINES_AFTER), end)
    .join('\n')
    .trim();
  return part.length <= LONGEST ? part : `…${part.slice(-LONGEST)}`;
}

/** Lines of a failure that tell it from another one. */
const TELLING = 40;

/**
 * What is the same when the same failure comes again: without numbers, hashes and times, which differ from run to run.
 */
export function fingerprint(name: string, failure: string): string {
  const telling = failure
    .split('\n')
    .slice(-TELLING)
    .join('\n')
    .toLowerCase()
    .replace(/\b[0-9a-f]{7,}\b/g, '#')
    .replace(/\d+/g, '#')
    .replace(/\s+/g, ' ');
  return hash('sha256', `${name}\n${telling}`).slice(0, 32);
}
