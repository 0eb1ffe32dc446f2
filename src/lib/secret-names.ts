import { codesOf } from './text-codes.ts';

/** Secrets that are known by the name before them: `PRIVATE-TOKEN: …`, `aws_secret_access_key = …`. */

/** By a character: whether it may stand between a name and its value. */
const IS_SIGN = new Uint8Array(256);
for (const sign of ':=,') IS_SIGN[sign.charCodeAt(0)] = 1;
const BRACKET = 93;
const BACKSLASH = 92;

/** Words that end a name whose value is a secret: `PRIVATE-TOKEN`, `aws_secret_access_key`, `clientSecret`. */
const OWNERS =
  'api|access|secret|private|account|auth|encryption|signing|license|master|shared|service|storage|subscription|deploy|client|consumer|app|admin|application|webhook|session|hmac|server|integration|routing';
const NAME = new RegExp(
  `(?:(password|passwd|passphrase|passcode|passwort|pwd)|token|secret|credentials?|creds|(?<=(?:${OWNERS})[_. -]?)key|(?:access|client|api)[_-]?id|_auth|contribsys__com)(\\\\?["'\`])?\\]?[ \\t]{0,4}(=>|:=|==|[:=,])[ \\t]{0,4}`,
  'gi',
);
/** A value as code, JSON, JSON in JSON, YAML, a header or a shell has it; none needs an end, so nothing is read twice. */
const VALUE =
  /"((?:[^"\\\r\n]|\\.)+)|'([^'\r\n]+)|`([^`\r\n]+)|\\"((?:[^"\\\r\n]|\\\\(?:\\"|[^"\\]))+)|([^\s"'`&,;\\]+)/y;
/** So much of a value tells whether it is one. */
const LOOKED_AT = 200;

/** A placeholder, or how code and messages go on behind such a name. */
const NO_VALUE =
  /^(?:[$<{%*…(]|\[redacted|(?:string|text|null|none|true|false|undefined|required|missing|invalid|unknown|number|boolean|process\.env\S*|os\.environ\S*|env)[;,.)]?$)/i;
const OWN_ID = /^(?:task|run|out|conv|flow|evt|del|dlv|wh)-[0-9a-z]{8,}$/;

interface Named {
  readonly isPassword: boolean;
  readonly isQuoted: boolean;
  /** `=` without a blank, as a shell and a query write it. */
  readonly isTight: boolean;
  readonly isHeader: boolean;
  readonly value: string;
}

function isSecret({ isPassword, isQuoted, isTight, isHeader, value }: Named): boolean {
  if (NO_VALUE.test(value) || OWN_ID.test(value)) return false;
  const isMixed = /[\d!@#%^*+=?]/.test(value) || (/[a-z]/.test(value) && /\B[A-Z]/.test(value));
  if (isPassword)
    return isQuoted || isTight ? value.length >= 3 : value.length >= 4 && isMixed && !/[()]/.test(value);
  if (/\s/.test(value)) return false;
  if (isHeader) return value.length >= 8;
  const hasDigit = /\d/.test(value);
  const hasLetter = /[A-Za-z]/.test(value);
  return (
    value.length >= 8 && ((hasDigit && (hasLetter || value.length >= 15)) || (value.length >= 20 && isMixed))
  );
}

/** Two last letters of the names, in small letters: of headers (2), of all others (1). */
const ENDS = new Uint8Array(128 * 128);
for (const end of 'rd wd se de rt en et al ls ds ey id th om re ig'.split(' ')) ENDS[pairAt(end, 1)] = 1;
for (const end of 'on ie ue'.split(' ')) ENDS[pairAt(end, 1)] = 2;
const HEADER = 2;
const NAME_END =
  /(?<=pass(?:word|wd|phrase|code|wort)|pwd|token|secret|credentials?|creds|key|(?:access|client|api)[_-]?id|auth|contribsys__com|signature|sig)/iy;
const HEADER_END = /(?<=authorization|cookie|_gitlab_session|password\\?["']\s{1,4}value)/iy;

function pairAt(text: string, last: number): number {
  return ((text.charCodeAt(last - 1) & 95) << 7) | (text.charCodeAt(last) & 95);
}

/** Which names of secrets stand before a `:`, `=` or `,` of the text: neither patterns nor values are looked for without. */
export function namesIn(text: string): { readonly hasHeaders: boolean; readonly hasNames: boolean } {
  let hasHeaders = false;
  let hasNames = false;
  const codes = codesOf(text);
  for (let at = 0; at < text.length && !(hasHeaders && hasNames); at += 1) {
    if (IS_SIGN[codes[at] ?? 0] === 0) continue;
    let last = at - 1;
    while (last > at - 11 && isBlank(codes[last])) last -= 1;
    if (codes[last] === BRACKET) last -= 1;
    if (isQuote(codes[last])) last -= 1;
    if (codes[last] === BACKSLASH) last -= 1;
    const kind = last < 2 ? 0 : ENDS[(((codes[last - 1] ?? 0) & 95) << 7) | ((codes[last] ?? 0) & 95)];
    if (kind === 0 || (kind === HEADER ? hasHeaders : hasNames)) continue;
    const end = kind === HEADER ? HEADER_END : NAME_END;
    end.lastIndex = last + 1;
    if (!end.test(text)) continue;
    if (kind === HEADER) hasHeaders = true;
    else hasNames = true;
  }
  return { hasHeaders, hasNames };
}

function isBlank(code = 0): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0;
}

function isQuote(code = 0): boolean {
  return code === 34 || code === 39 || code === 96;
}

/** Values whose name says what they are. */
export function withoutNamed(text: string, put: string): string {
  NAME.lastIndex = 0;
  let clean = '';
  let copied = 0;
  for (let found = NAME.exec(text); found !== null; found = NAME.exec(text)) {
    const from = NAME.lastIndex;
    VALUE.lastIndex = 0;
    const begun = VALUE.exec(text.slice(from, from + LOOKED_AT));
    if (begun === null) continue;
    const [, password, quote, sign = ''] = found;
    const value = begun.slice(1).find((part) => part !== undefined) ?? '';
    const opening = begun[0].length - value.length;
    // A list of names and values has both between quotes.
    if (sign === ',' && (quote === undefined || opening === 0)) continue;
    const isHeader = sign === ':' && text[found.index - 1] === '-';
    const isTight = sign === '=' && text[from - 1] === '=';
    if (!isSecret({ isPassword: password !== undefined, isQuoted: opening > 0, isTight, isHeader, value }))
      continue;
    VALUE.lastIndex = from;
    VALUE.exec(text);
    clean += text.slice(copied, from + opening) + put;
    copied = VALUE.lastIndex;
    NAME.lastIndex = copied;
  }
  return copied === 0 ? text : clean + text.slice(copied);
}

/** Whether a field of this name holds a secret, whatever its value looks like. */
export function isSecretName(name: string): boolean {
  return SECRET_FIELD.test(name);
}

const SECRET_FIELD =
  /(?:password|passwd|passphrase|secret|private[_-]?key|access[_-]?token|refresh[_-]?token|api[_-]?key|^(?:proxy-)?authorization|^(?:set-)?cookie)$/i;
