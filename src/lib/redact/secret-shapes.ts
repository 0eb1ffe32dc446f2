import { hasNames, withoutNamed } from './secret-names.ts';

const LARGEST_KEPT = 1 << 20;
let codes = Buffer.allocUnsafe(1 << 16);
let written = '';

/**
 * The low byte of each character, up to the length of the text, valid until the next call: a loop over bytes is several
 * times as fast as one over a string. What is found by them is looked up in the text.
 */
export function codesOf(text: string): Uint8Array {
  if (text === written) return codes;
  if (text.length > LARGEST_KEPT) return Buffer.from(text, 'latin1');
  if (text.length > codes.length) codes = Buffer.allocUnsafe(LARGEST_KEPT);
  codes.write(text, 'latin1');
  written = text;
  return codes;
}

/**
 * Secrets that are known by their form: one table, each with its source. All patterns run in linear
 * time: what may repeat is bounded, or is consumed by the match that looks at it.
 */

/** A token whose characters alone tell what it is. */
interface TokenShape {
  readonly name: string;
  /** A regular expression without flags and capturing groups. */
  readonly pattern: string;
  readonly source: string;
}

/** A token that begins as its maker says. */
interface PrefixedShape extends TokenShape {
  /** The first one to three characters of each alternative: a pattern is tried only where they are. */
  readonly begins: string;
}

const GITLEAKS = 'gitleaks config/gitleaks.toml (222 rules, b58d3f1)';
const UUID = '[\\da-f]{8}-(?:[\\da-f]{4}-){3}[\\da-f]{12}';

/** Short prefixes are found in words, too: no letter or digit may precede them, except in `\\n` as JSON has it. */
const ALONE = '(?<!(?<!\\\\)[A-Za-z0-9])';
/** The same, not within a run of the token's own characters: a run is read once. */
const AT_START = '(?<!(?<!\\\\)[\\w-])';

/** What a dialect of tokens may hold behind its prefix, to its end. */
const rest = (least: number) => `[\\w-]{${least},}(?:\\.[\\w-]+)*`;

export const TOKEN_SHAPES: readonly PrefixedShape[] = [
  {
    name: 'hookctl',
    begins: 'hkt',
    pattern: 'hkt_[a-f0-9]{64}',
    source: 'src/server/access/tokens.ts, tokens of owners',
  },
  {
    // Installation tokens are `ghs_<digits>_<JWT>` since 2026, about 520 characters with two dots.
    name: 'GitHub',
    begins: 'ghp gho ghs ghu ghr git',
    pattern: `gh[opsur]_[\\w-]{20,}(?:\\.[\\w-]+){0,2}|github_pat_\\w{20,}`,
    source: 'docs.github.com, "About authentication to GitHub", token formats',
  },
  {
    name: 'GitLab',
    begins: 'glp glr glc gld glf gli gla glo gls glw GR1',
    pattern: `gl(?:pat|ptt|rtr?|cbt|dt|ft|ffct|imt|agent|oas|soat|wt)-${rest(16)}|GR1348941[\\w-]{20,}`,
    source: 'docs.gitlab.com, "GitLab token overview", token prefixes',
  },
  {
    name: 'Slack',
    begins: 'xox xap xwf',
    pattern: `xox[abcdeoprs](?:-|\\.xox[bp]-)[\\w-]{10,}|xapp-[\\w-]{10,}|xwfp-[\\w-]{10,}`,
    source: 'docs.slack.dev, "Tokens"',
  },
  {
    name: 'Atlassian',
    begins: 'ATA ATC ATS ATB',
    pattern: 'AT(?:ATT|CTT|STT)3[\\w=-]{20,}|ATBB[A-Za-z0-9]{20,}',
    source: 'support.atlassian.com, "Manage API tokens"; Bitbucket Cloud, "App passwords"',
  },
  {
    name: 'Linear',
    begins: 'lin',
    pattern: 'lin_(?:api|oauth|wh)_\\w{16,}',
    source: 'linear.app/developers, "Authentication"',
  },
  {
    name: 'Sentry',
    begins: 'snt',
    pattern: 'sntry[a-z]{1,2}_[\\w+/=-]{16,}',
    source: 'develop.sentry.dev, "Auth tokens"',
  },
  {
    name: 'npm, NuGet, Figma, PyPI, RubyGems, Docker, Hugging Face',
    begins: 'oy2 fig npm pyp rub dck hf_ api CLO',
    pattern: `oy2[a-z0-9]{43}(?![A-Za-z0-9])|figd_[\\w-]{30,}|npm_[A-Za-z0-9]{36,}|pypi-[\\w-]{50,}|rubygems_[a-f0-9]{40,}|dckr_[op]at_[\\w-]{20,}|(?:hf|api_org)_[A-Za-z0-9]{30,}|CLOJARS_[A-Za-z0-9]{60}`,
    source: `docs.npmjs.com, pypi.org/help, docs.docker.com, huggingface.co/docs; ${GITLEAKS}`,
  },
  {
    name: 'AWS',
    begins: 'A3T AKI ASI ABI ACC ABS bed',
    pattern: `(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])|ABSK[A-Za-z0-9+/]{100,}={0,2}|bedrock-api-key-[\\w+/=-]{20,}`,
    source: 'docs.aws.amazon.com, IAM, "Unique identifiers"',
  },
  {
    name: 'Google',
    begins: 'AIz ya2 GOC 1//',
    pattern: `AIza[\\w-]{35,}|ya29\\.[\\w-]{20,}(?:\\.[\\w-]+)*|GOCSPX-[\\w-]{20,}|1//0[\\w-]{30,}`,
    source: 'cloud.google.com, "API keys", "Token types"',
  },
  {
    name: 'Stripe and those who follow it',
    begins: 'sk_ rk_ liv tes whs',
    pattern: `[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}|(?:live|test)_(?:pub_)?[a-f0-9]{31,}|whsec_[\\w+/=-]{16,}`,
    source: 'docs.stripe.com, "API keys"; standard-webhooks specification, secrets',
  },
  {
    name: 'OpenAI, Anthropic and those who follow them',
    begins: 'sk- ppl gsk xai r8_ r8-',
    pattern: `sk-[\\w-]{20,}|pplx-[A-Za-z0-9]{40,}|(?:gsk|xai|r8)[_-][A-Za-z0-9]{30,}`,
    source: `platform.openai.com and docs.anthropic.com, "API keys"; ${GITLEAKS}`,
  },
  {
    name: 'SendGrid, Brevo, Mailgun, Twilio',
    begins: 'SG. xke pub key SK',
    pattern: `SG\\.[\\w=-]{10,}\\.?[\\w=.-]{20,}|xkeysib-[\\w-]{60,}|(?:pub)?key-[a-f0-9]{32}|SK[\\da-fA-F]{32}(?![A-Za-z0-9])`,
    source: `docs of each, "API keys"; ${GITLEAKS}`,
  },
  {
    name: 'Discord bots',
    begins: 'M N O',
    pattern: `[MNO][\\w-]{23,27}\\.[\\w-]{6}\\.[\\w-]{27,}`,
    source: 'discord.com/developers, "Bot tokens"',
  },
  {
    name: 'JSON web tokens',
    begins: 'eyJ ZXl',
    pattern: `${AT_START}eyJ[\\w-]{7,}\\.[\\w-]*\\.[\\w-]+(?:\\.[\\w-]+){0,2}|ZXlK[a-d][\\w+/-]{40,}={0,2}|eyJrIjoi[A-Za-z0-9+/_-]{60,}={0,3}`,
    source: 'RFC 7515, 7516, 7519; Grafana API keys are JSON in base64',
  },
  {
    name: 'Shopify, Square, Shippo, EasyPost, Duffel, Flutterwave, Plaid',
    begins: 'shp shi sq0 EAA EZA EZT duf FLW acc',
    pattern: `shp(?:at|ca|pa|ss|ua)_[\\da-fA-F]{20,}|(?:sq0[a-z]{3}-|EAAA)[\\w-]{22,}|shippo_(?:live|test)_[\\da-fA-F]{20,}|EZ[AT]K[A-Za-z0-9]{54}|duffel_(?:test|live)_[\\w=-]{30,}|FLW(?:SECK|PUBK)(?:_TEST)?-[\\w-]{12,}|access-(?:sandbox|development|production)-${UUID}`,
    source: `docs of each, "API keys"; ${GITLEAKS}`,
  },
  {
    name: 'Facebook',
    begins: 'EAA',
    pattern: `EAA[A-Z][A-Za-z0-9]{90,}`,
    source: `developers.facebook.com, "Access tokens"; ${GITLEAKS}`,
  },
  {
    name: 'DigitalOcean, Fly, Heroku, Scalingo, OpenShift, Cloudflare',
    begins: 'doo dop dor fo1 fm1 fm2 HRK tk- sha v1.',
    pattern: `do[opr]_v1_[a-f0-9]{40,}|fo1_[\\w-]{40,}|fm(?:1[ar]|2)_[\\w+/]{60,}={0,3}|HRKU-[\\w-]{30,}|tk-us-[\\w-]{40,}|sha256~[\\w-]{43,}|v1\\.0-[a-f0-9]{24}-[a-f0-9]{100,}`,
    source: `docs of each, "API tokens"; ${GITLEAKS}`,
  },
  {
    name: 'HashiCorp, 1Password, Doppler, Pulumi, Infracost, age',
    begins: 'hvb hvs hvr s. ops A3- dp. pul ico AGE',
    pattern: `hv[bsr]\\.[\\w-]{20,}|(?<![\\w.])s\\.(?=[A-Za-z]{0,23}\\d)[A-Za-z0-9]{24}(?![\\w])|ops_eyJ[\\w+/-]{50,}={0,3}|A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}|dp\\.[a-z]{2,5}\\.[\\w.-]{40,}|pul-[a-f0-9]{40}|ico-[A-Za-z0-9]{32}|AGE-SECRET-KEY-1[A-Z0-9]{50,}`,
    source: `docs of each; ${GITLEAKS}`,
  },
  {
    name: 'Databricks, ClickHouse, PlanetScale, Prefect',
    begins: 'dap 4b1 psc pnu',
    pattern: `dapi[a-f0-9]{32}(?:-\\d)?|4b1d[A-Za-z0-9]{38}(?![A-Za-z0-9])|pscale_(?:tkn|oauth|pw)_[\\w=.-]{30,}|pnu_[A-Za-z0-9]{36}`,
    source: GITLEAKS,
  },
  {
    name: 'Grafana, Dynatrace, New Relic, LaunchDarkly, Harness, Sourcegraph',
    begins: 'glc gls dt0 NRA NRI NRJ NRR pat sat sgp',
    pattern: `gl(?:c|sa)_[\\w+/=]{32,}|dt0[a-z]\\d{2}\\.[A-Za-z0-9]{24}\\.[A-Za-z0-9]{64}|NR(?:AK|II|JS|RA)-[\\w-]{19,}|(?:pat|sat)\\.[\\w-]{22}\\.[A-Za-z0-9]{24}\\.[A-Za-z0-9]{20}|sgp_(?:(?:[\\da-fA-F]{16}|local)_)?[\\da-fA-F]{40}`,
    source: `docs of each; ${GITLEAKS}`,
  },
  {
    name: 'JFrog, Sonar, Octopus, Postman, Readme, Notion, Airtable, Typeform, Adobe, frame.io',
    begins: 'AKC cmV sqa squ sqp API PMA rdm ntn sec pat tfp p8e fio',
    pattern: `AKCp[A-Za-z0-9]{69,}|cmVmd[A-Za-z0-9]{59}(?![A-Za-z0-9])|sq[aup]_[A-Za-z0-9]{40}|API-[A-Z0-9]{26}(?![A-Z0-9])|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|rdme_[a-z0-9]{60,}|(?:ntn_|secret_)[A-Za-z0-9]{43,}|pat[A-Za-z0-9]{14}\\.[a-f0-9]{64}|tfp_[\\w.=-]{40,}|p8e-[A-Za-z0-9]{32}|fio-u-[\\w=-]{60,}`,
    source: GITLEAKS,
  },
  {
    name: 'Alibaba, Yandex, Authress, Intra42, SettleMint, Dropbox, Mapbox, Twitter, defined.net',
    begins: 'LTA t1. AQV sc_ sca ext aut s-s sm_ sl. pk. sk. AAA dnk',
    pattern: `LTAI[A-Za-z0-9]{20,}|t1\\.[\\w-]{8,}={0,2}\\.[\\w-]{86}={0,2}|AQVN[\\w-]{35,}|(?:sc|ext|scauth|authress)_[A-Za-z0-9]{5,30}\\.[A-Za-z0-9]{4,6}\\.acc[_-][A-Za-z0-9-]{10,32}\\.[\\w+/=-]{30,120}|s-s4t2(?:ud|af)-[a-f0-9]{64}|sm_[aps]at_[A-Za-z0-9]{16,}|sl\\.[\\w=-]{100,}|[ps]k\\.[A-Za-z0-9]{50,}\\.[\\w-]{20,}|A{20,22}[A-Za-z0-9%]{80,}|dnkey-[\\w=-]{26}-[\\w=-]{52}`,
    source: GITLEAKS,
  },
];

/** Tokens that are known by what they hold, not by how they begin: tried only in texts that contain `holds`. */
const INNER_SHAPES: readonly (TokenShape & { readonly holds: string })[] = [
  {
    name: 'Azure, Microsoft',
    holds: 'Q~',
    pattern: `${ALONE}[\\w~.]{3}\\dQ~[\\w~.-]{31,34}`,
    source: `learn.microsoft.com, Entra ID client secrets; ${GITLEAKS}`,
  },
  {
    name: 'Telegram bots',
    holds: ':A',
    pattern: '(?<!\\d)\\d{5,16}:A[\\w-]{34,}',
    source: 'core.telegram.org/bots/api, "Authorizing your bot"',
  },
  {
    name: 'Mailchimp',
    holds: '-us',
    pattern: `${ALONE}[a-f0-9]{32}-us\\d{1,2}(?!\\d)`,
    source: `mailchimp.com/developer, "Authentication"; ${GITLEAKS}`,
  },
  {
    name: 'Facebook apps',
    holds: '|',
    pattern: `${ALONE}\\d{15,16}\\|[\\w-]{27,40}(?![\\w-])`,
    source: `developers.facebook.com, "Access tokens"; ${GITLEAKS}`,
  },
  {
    name: 'Facebook apps in a URL',
    holds: '%',
    pattern: `${ALONE}\\d{15,16}%(?:7C)?[\\w-]{27,40}(?![\\w-])`,
    source: `developers.facebook.com, "Access tokens"; ${GITLEAKS}`,
  },
  {
    name: 'HCP Terraform',
    holds: 'atlasv1',
    pattern: '[A-Za-z0-9]{14}\\.atlasv1\\.[\\w=-]{40,}',
    source: `developer.hashicorp.com, "API tokens"; ${GITLEAKS}`,
  },
  { name: 'MaxMind', holds: '_mmk', pattern: `${ALONE}[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk`, source: GITLEAKS },
];

const ASCII = 128;
const NEVER = /(?!)/y;
/** By a pair of characters: 0, or the number of the expression for the tokens that begin with it. */
const BEGINS = new Uint8Array(ASCII * ASCII);
/** By that number and a character: whether a token may go on so. */
const THIRDS = new Uint8Array(256 * ASCII);
const EXPRESSIONS = expressionsByBegin();

function expressionsByBegin(): readonly RegExp[] {
  const byPair = new Map<number, Set<string>>();
  for (const { begins, pattern } of TOKEN_SHAPES) {
    for (const pair of begins.split(' ').flatMap(pairsOf)) {
      byPair.set(pair, (byPair.get(pair) ?? new Set()).add(pattern));
    }
  }
  const sources = [NEVER.source];
  for (const [pair, patterns] of byPair) {
    const source = [...patterns].join('|');
    if (!sources.includes(source)) sources.push(source);
    BEGINS[pair] = sources.indexOf(source);
  }
  for (const begin of TOKEN_SHAPES.flatMap(({ begins }) => begins.split(' '))) allowThirds(begin);
  return sources.map((source) => new RegExp(source, 'y'));
}

function allowThirds(begin: string): void {
  for (const pair of pairsOf(begin)) {
    const from = (BEGINS[pair] ?? 0) * ASCII;
    if (begin.length > 2) THIRDS[from + begin.charCodeAt(2)] = 1;
    else THIRDS.fill(1, from, from + ASCII);
  }
}

/** The pairs of a begin: one, or all with its single character first. */
function pairsOf(begin: string): readonly number[] {
  const row = begin.charCodeAt(0) * ASCII;
  return begin.length > 1
    ? [row + begin.charCodeAt(1)]
    : Array.from({ length: ASCII }, (_, second) => row + second);
}

/** One pass over the text: an expression is asked only at the few places where a token may begin. */
function withoutTokens(text: string, put: string): string {
  let clean = '';
  let copied = 0;
  const codes = codesOf(text);
  for (let at = 0; at < text.length - 1; at += 1) {
    const number = BEGINS[(((codes[at] ?? 0) & 127) << 7) | ((codes[at + 1] ?? 0) & 127)] ?? 0;
    if (number === 0 || THIRDS[(number << 7) | ((codes[at + 2] ?? 0) & 127)] === 0) continue;
    if (at < copied || !isAlone(text, at)) continue;
    const expression = EXPRESSIONS[number] ?? NEVER;
    expression.lastIndex = at;
    if (!expression.test(text)) continue;
    clean += text.slice(copied, at) + put;
    copied = expression.lastIndex;
  }
  return copied === 0 ? text : clean + text.slice(copied);
}

/** Whether no letter or digit precedes it, other than the end of an escape: a line end of JSON, `%3D` of a URL. */
function isAlone(text: string, at: number): boolean {
  if (at === 0 || !isAlphanumeric(text.charCodeAt(at - 1))) return true;
  return text[at - 2] === '\\' || text[at - 3] === '%';
}

function isAlphanumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

const INNER = INNER_SHAPES.map(({ holds, pattern }) => ({ holds, pattern: new RegExp(pattern, 'g') }));

/** A private key as a text of lines, or with `\n` for its ends of line as in JSON. RFC 7468; OpenSSH PROTOCOL.key; PGP. */
const KEY_BODY = '(?:[\\w+/=\\s:;,.()@-]|\\\\[nrt])';
const KEY_BLOCKS = new RegExp(
  `-----BEGIN [A-Z0-9 _-]{0,60}PRIVATE KEY(?: BLOCK)?-----(?:${KEY_BODY}{0,20000}?-----END [A-Z0-9 _-]{0,80}-----|${KEY_BODY}*)`,
  'g',
);

/** What stays is group 1; tried only where a text holds one of the words. */
interface KeptShape {
  readonly holds: readonly string[];
  readonly pattern: RegExp;
}

/** Secrets in URLs, and behind words that are written in few ways. */
const BY_WORD: readonly KeptShape[] = [
  // To the last @ before the path: people write passwords with @ as they are.
  {
    holds: ['@'],
    pattern:
      /(:\/\/)(?:[^\s/?#:"'<>\\]{0,256}:[^\s/?#"'<>\\]{1,512}|(?=[^\s/?#:@"'<>\\]{0,64}\d)[^\s/?#:@"'<>\\]{8,512}|[^\s/?#:@"'<>\\]{20,512})(?=@)/g,
  },
  // docs.slack.dev, discord.com/developers, learn.microsoft.com: "Incoming webhooks".
  {
    holds: ['hooks.slack'],
    pattern: /(hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/)[\w+/-]{16,}/g,
  },
  {
    holds: ['/webhooks/'],
    pattern: /(discord(?:app)?\.com\/api\/(?:v\d{1,2}\/)?webhooks\/\d{5,25}\/)[\w-]{16,}/g,
  },
  { holds: ['.webhook.office'], pattern: /(\.webhook\.office\.com\/webhookb2\/)[\w@/-]{30,}/g },
  {
    holds: ['earer', 'asic', 'BEARER', 'BASIC'],
    pattern:
      /((?:[Bb]earer|[Bb]asic|BEARER|BASIC)\s{1,9})(?=[\w.~+/-]{0,200}(?:[\d=]|[a-z][A-Z]))[\w.~+/=-]{8,}/g,
  },
  {
    holds: ['curl'],
    pattern:
      /((?<!(?<!\\)\w)curl\b[^\n]{0,400}?\s(?:-u|--user)(?:=|[ \t]{0,5})\\?["']?[^\s:"'\\]{0,200}:)[^\s"'\\]{3,}/g,
  },
  {
    holds: ['-'],
    pattern:
      /(--?[\w-]{0,40}(?:password|passwd|token|secret|api-?key)(?:=|[ \t]{1,4})["']?)(?![-$<{["'])(?=[^\s"'\\]{0,80}\d)[^\s"'\\]{4,}/gi,
  },
];

/** A secret in the query of a URL. */
const QUERY =
  /([?&](?:[\w-]{0,40}(?:token|secret|password|passwd|pwd|api_?key|signature|credential|auth)|sig|key)=)(?![$<{[])[^\s&#"'<>\\]{6,}/gi;

/** One of these is in what the following patterns find. */
const HEADER = /authorization|cookie|_gitlab_session|password\\?["']\s{1,4}value/i;

/** Headers, names and values in XML; group 1 stays. */
const BY_NAME: readonly RegExp[] = [
  // A header line, as JSON, or in a list of names and values; Digest and AWS have several parts.
  /((?<!(?<!\\)\w)(?:proxy-)?authorization\\?["']?\s{0,9}[:=,]\s{0,9}\\?["']?)(?:[a-z][\w-]{0,31}\s{1,9})?(?![$<{])[^\s"',;\\]{8,}(?:\\?"[^"\\\r\n]{0,500}\\?")?(?:,\s{0,3}[a-z-]{1,30}=(?:\\?"[^"\\\r\n]{0,500}\\?"|[^\s"',\\]{1,500}))*/gi,
  /((?<!(?<!\\)\w)(?:set-)?cookie\\?["']?\s{0,9}[:=,]\s{0,9}\\?["']?)[^\s"';,=\\]+=[^"'\\\r\n]+/gi,
  /(_gitlab_session=)\w{16,}/g,
  /(password\\?["']\s{1,4}value\s{0,3}=\s{0,3}\\?["'])[^"'\\\r\n]{3,}/gi,
];

/** The text without what is a secret by its form, with `put` in its place. */
export function withoutShapes(text: string, put: string): string {
  const kept = `$1${put}`;
  let clean = text.includes('-----BEGIN ') ? text.replace(KEY_BLOCKS, put) : text;
  clean = withoutTokens(clean, put);
  for (const { holds, pattern } of INNER) if (clean.includes(holds)) clean = clean.replace(pattern, put);
  for (const { holds, pattern } of BY_WORD)
    if (holds.some((word) => clean.includes(word))) clean = clean.replace(pattern, kept);
  if (!hasNames(clean)) return clean;
  if (/[?&]/.test(clean)) clean = clean.replace(QUERY, kept);
  if (HEADER.test(clean)) for (const shape of BY_NAME) clean = clean.replace(shape, kept);
  return withoutNamed(clean, put);
}
