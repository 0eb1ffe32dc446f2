/** Secrets that are known by the name before them: `PRIVATE-TOKEN: …`, `aws_secret_access_key = …`. */

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
/** An id that ends with such a name by chance: `task-01m8q8e3gx4h0pwd`. */
const ID_BEFORE = /(?<![0-9a-z])(?:dlv|task|conv|wh|cmd|out|run|con|flow)-[0-9a-z]{16}$/;
const ID_LENGTH = 24;

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

/** All names before a sign: the sign is looked for, and then read backwards, which is the quickest way. */
const ANY_NAME =
  /[:=,](?<=(?:pass(?:word|wd|phrase|code|wort)|pwd|token|secret|credentials?|creds|key|(?:access|client|api)[_-]?id|auth|contribsys__com|signature|sig|authorization|cookie|_gitlab_session|password\\?["']\s{1,4}value)\\?["'`]?\]?\s{0,9}[:=,])/i;

/** Whether the name of a secret precedes a `:`, `=` or `,`: without one there is no value to redact, and no header. */
export function hasNames(text: string): boolean {
  return ANY_NAME.test(text);
}

/** Values whose name says what they are. */
export function withoutNamed(text: string, put: string): string {
  NAME.lastIndex = 0;
  let clean = '';
  let copied = 0;
  for (let found = NAME.exec(text); found !== null; found = NAME.exec(text)) {
    const from = NAME.lastIndex;
    VALUE.lastIndex = 0;
    const start = VALUE.exec(text.slice(from, from + LOOKED_AT));
    if (start === null) continue;
    const [, password, quote, sign = ''] = found;
    const [name = ''] = /^[a-z_-]+/i.exec(found[0]) ?? [];
    const end = found.index + name.length;
    if (ID_BEFORE.test(text.slice(Math.max(0, end - ID_LENGTH), end))) continue;
    const value = start.slice(1).find((part) => part !== undefined) ?? '';
    const opening = start[0].length - value.length;
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
