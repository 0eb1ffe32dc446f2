import { RE2JS, RE2JSSyntaxException } from 're2js';
import { messageOf } from '../errors.ts';
import type { Budget } from './limits.ts';

/** A longer pattern or a bigger program is refused; `.{1,1000}b$` alone would take 2003 instructions. */
const MAX_PATTERN_LENGTH = 1000;
const MAX_PROGRAM_SIZE = 1000;
/** Longest text that is searched, in UTF-16 units: GitHub's longest comment. */
const MAX_SUBJECT_LENGTH = 65_536;
/** What one character costs even with the smallest program, in instructions (measured). */
const COST_PER_CHARACTER = 50;

const FLAGS: ReadonlyMap<string, number> = new Map([
  ['i', RE2JS.CASE_INSENSITIVE],
  ['m', RE2JS.MULTILINE],
  ['s', RE2JS.DOTALL],
]);

/** A regular expression that runs in linear time, whatever the pattern and the text. */
interface Regex {
  /**
   * Whether it matches anywhere in the text. Linear is not yet fast (a hostile pair needs 20 ns per instruction and
   * character), so each search is paid for.
   * @throws BudgetError when the text is longer than 64 KiB or the budget is used up.
   */
  test(text: string, budget: Budget): boolean;
  /** What the first group matched; null when nothing matches. Of a longer text the first 64 KiB are searched. */
  firstGroup(text: string): string | null;
}

type RegexResult =
  | { readonly ok: true; readonly regex: Regex }
  | {
      readonly ok: false;
      readonly message: string;
      /** Character of the pattern, 1-based; null where the mistake has no single place. */
      readonly position: number | null;
    };

/**
 * Compiles RE2 syntax (no look-around, no back-references: they cannot be matched in linear time). V8's own engine
 * is never used, because it backtracks. `flags`: any of `i`, `m`, `s`.
 */
export function compileRegex(source: string, flags: string): RegexResult {
  const unknown = [...flags].find((flag) => !FLAGS.has(flag));
  if (unknown !== undefined) return refuse(`unknown flag "${unknown}", expected i, m or s`);
  if (source.length > MAX_PATTERN_LENGTH) return refuse(`longer than ${MAX_PATTERN_LENGTH} characters`);
  const bits = [...flags].reduce((sum, flag) => sum | (FLAGS.get(flag) ?? 0), 0);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source, bits);
  } catch (error) {
    return explainSyntax(source, error);
  }
  const size = compiled.programSize();
  if (size > MAX_PROGRAM_SIZE) {
    return refuse(
      `too expensive: ${size} instructions, ${MAX_PROGRAM_SIZE} are allowed; use smaller repeats`,
    );
  }
  const regex: Regex = {
    test: (text, budget) => search(compiled, size, text, budget),
    firstGroup(text) {
      const matcher = compiled.matcher(text.slice(0, MAX_SUBJECT_LENGTH));
      return matcher.find() ? matcher.group(1) : null;
    },
  };
  return { ok: true, regex };
}

function search(compiled: RE2JS, size: number, text: string, budget: Budget): boolean {
  const tooLong = text.length > MAX_SUBJECT_LENGTH;
  budget.spend(tooLong ? Number.POSITIVE_INFINITY : text.length * (size + COST_PER_CHARACTER));
  // test() runs on the DFA; matcher().find() is thirty times slower on hostile pairs.
  return compiled.test(text);
}

function explainSyntax(source: string, error: unknown): RegexResult {
  if (!(error instanceof RE2JSSyntaxException)) return refuse(messageOf(error));
  const fragment = error.getPattern();
  const index = fragment ? findFragment(source, fragment) : -1;
  const message = describeUnsupported(source.slice(index)) ?? error.getDescription();
  return { ok: false, message, position: index < 0 ? null : index + 1 };
}

function describeUnsupported(rest: string): string | null {
  if (/^\(\?<?[=!]/.test(rest)) return 'look-around is not supported (expressions run in linear time)';
  if (/^\\[1-9k]/.test(rest)) return 'back-references are not supported (expressions run in linear time)';
  return null;
}

/** The parser names the text that it stumbled over, not the place; escapes are stepped over as units. */
function findFragment(source: string, fragment: string): number {
  for (let i = 0; i < source.length; i += source[i] === '\\' ? 2 : 1) {
    if (source.startsWith(fragment, i)) return i;
  }
  return source.indexOf(fragment);
}

function refuse(message: string): RegexResult {
  return { ok: false, message, position: null };
}
