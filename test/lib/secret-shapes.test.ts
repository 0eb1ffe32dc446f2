import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../src/lib/redact/redact.ts';
import { TOKEN_SHAPES } from '../../src/lib/redact/secret-shapes.ts';
import { growth, LINEAR } from '../support/growth.ts';
import { GITLEAKS_RULES } from './gitleaks-rules.ts';
import { secretText } from './tokens.ts';

const { redact } = createRedactor({});

/** The longest piece of a secret that is left in a text; shorter ones than seven characters are in other words, too. */
function leftOf(secret: string, text: string): string {
  for (let length = secret.length; length >= Math.min(7, secret.length); length -= 1) {
    for (let at = 0; at + length <= secret.length; at += 1) {
      const piece = secret.slice(at, at + length);
      if (text.includes(piece)) return piece;
    }
  }
  return '';
}

/** Places in which a token is met: a sentence, JSON, JSON in JSON, a line of a log, a URL. */
const PLACES: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `The run printed ${text} and went on.`,
  (text) => `env:\n${text}\nend`,
  (text) => JSON.stringify({ message: `line\n${text}\nend` }),
];

const SHAPES: readonly (readonly [name: string, shape: string, source: string])[] = [
  ['hookctl, token of an owner', 'hkt_{h64}', 'src/server/access/tokens.ts'],
  ['GitHub personal', 'ghp_{w36}', 'docs.github.com'],
  ['GitHub OAuth', 'gho_{w36}', 'docs.github.com'],
  ['GitHub user to server', 'ghu_{w36}', 'docs.github.com'],
  ['GitHub installation', 'ghs_{w36}', 'docs.github.com'],
  ['GitHub installation with JWT', 'ghs_{d9}_eyJ{w120}.eyJ{w220}.{w160}', 'GitHub changelog 2026'],
  [
    'GitHub installation with JWT and dashes',
    'ghs_{d9}_eyJ{w30}-{w20}_{w9}.eyJ{w90}-{w9}.{w80}_-{w9}',
    'GitHub changelog 2026',
  ],
  ['GitHub refresh', 'ghr_{w76}', 'docs.github.com'],
  ['GitHub fine-grained', 'github_pat_{w22}_{w59}', 'docs.github.com'],
  ['GitLab personal', 'glpat-{w20}', 'docs.gitlab.com'],
  ['GitLab routable', 'glpat-{w27}.{z2}.{z9}', 'docs.gitlab.com'],
  ['GitLab runner', 'glrt-{w20}', 'docs.gitlab.com'],
  ['GitLab runner routable', 'glrt-t1_{w27}.{z9}', 'docs.gitlab.com'],
  ['GitLab pipeline trigger', 'glptt-{h40}', 'docs.gitlab.com'],
  ['GitLab deploy', 'gldt-{w20}', 'docs.gitlab.com'],
  ['GitLab job', 'glcbt-64_{w20}', 'docs.gitlab.com'],
  ['Slack bot', 'xoxb-{d12}-{d12}-{w24}', 'docs.slack.dev'],
  ['Slack user', 'xoxp-{d12}-{d12}-{d12}-{h32}', 'docs.slack.dev'],
  ['Slack app', 'xapp-1-{A11}-{d13}-{h64}', 'docs.slack.dev'],
  ['Slack configuration', 'xoxe.xoxp-1-{A165}', 'docs.slack.dev'],
  ['Slack client', 'xoxc-{d12}-{d12}-{d12}-{h64}', 'docs.slack.dev'],
  ['Slack incoming webhook', 'https://hooks.slack.com/services/|{A9}/{A11}/{w24}|', 'docs.slack.dev'],
  ['Slack workflow', 'https://hooks.slack.com/triggers/|{A9}/{d13}/{h32}|', 'docs.slack.dev'],
  ['Discord webhook', 'https://discord.com/api/webhooks/{d18}/|{w68}|', 'discord.com/developers'],
  [
    'Discord webhook of a version',
    'https://discordapp.com/api/v10/webhooks/{d18}/|{w68}|',
    'discord.com/developers',
  ],
  ['Discord bot', 'M{w25}.{w6}.{w38}', 'discord.com/developers'],
  ['Telegram bot', 'https://api.telegram.org/bot|{d9}:A{w34}|/getMe', 'core.telegram.org'],
  ['Atlassian API', 'ATATT3xFfGF0{w170}={h8}', 'support.atlassian.com'],
  ['Atlassian access', 'ATCTT3xFfGN0{w170}={h8}', 'support.atlassian.com'],
  ['Bitbucket app password', 'ATBB{w32}', 'support.atlassian.com'],
  ['Linear key', 'lin_api_{w40}', 'linear.app/developers'],
  ['Linear OAuth', 'lin_oauth_{h64}', 'linear.app/developers'],
  ['Linear webhook', 'lin_wh_{w43}', 'linear.app/developers'],
  ['Sentry organisation', 'sntrys_eyJ{w60}=_{w43}', 'develop.sentry.dev'],
  ['Sentry user', 'sntryu_{h64}', 'develop.sentry.dev'],
  ['Standard Webhooks', 'whsec_{w32}', 'standardwebhooks.com'],
  ['npm', 'npm_{w36}', 'docs.npmjs.com'],
  ['PyPI', 'pypi-AgEIcHlwaS5vcmc{w120}', 'pypi.org/help'],
  ['RubyGems', 'rubygems_{h48}', 'guides.rubygems.org'],
  ['Docker Hub', 'dckr_pat_{w27}', 'docs.docker.com'],
  ['Hugging Face', 'hf_{a34}', 'huggingface.co/docs'],
  ['AWS access key', 'AKIA{B16}', 'docs.aws.amazon.com'],
  ['AWS temporary key', 'ASIA{B16}', 'docs.aws.amazon.com'],
  ['AWS secret key', 'aws_secret_access_key = |{w40}|', 'docs.aws.amazon.com'],
  ['AWS session', 'AWS_SESSION_TOKEN=|{w200}|', 'docs.aws.amazon.com'],
  [
    'AWS signature',
    'https://b.s3.amazonaws.com/k?X-Amz-Date=20260101T000000Z&X-Amz-Signature=|{h64}|',
    'docs.aws.amazon.com',
  ],
  ['Google API key', 'AIza{w35}', 'cloud.google.com'],
  ['Google OAuth', 'ya29.a0{w120}', 'cloud.google.com'],
  ['Google client secret', 'GOCSPX-{w28}', 'cloud.google.com'],
  ['Google refresh', '1//0{w60}', 'cloud.google.com'],
  ['Azure client secret', '{w3}8Q~{w33}', 'learn.microsoft.com'],
  [
    'Azure storage',
    'DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=|{w86}==|;EndpointSuffix=core.windows.net',
    'learn.microsoft.com',
  ],
  ['Azure SAS', 'https://acme.blob.core.windows.net/c?sv=2024-11-04&sig=|{w43}%3D|', 'learn.microsoft.com'],
  ['Stripe secret', 'sk_live_{w24}', 'docs.stripe.com'],
  ['Stripe restricted', 'rk_live_{w99}', 'docs.stripe.com'],
  ['OpenAI', 'sk-proj-{w74}T3BlbkFJ{w74}', 'platform.openai.com'],
  ['Anthropic', 'sk-ant-api03-{w93}AA', 'docs.anthropic.com'],
  ['SendGrid', 'SG.{w22}.{w43}', 'docs.sendgrid.com'],
  ['JWT', 'eyJ{w24}.eyJ{w60}.{w43}', 'RFC 7519'],
  ['JWE', 'eyJ{w40}..{w16}.{w80}.{w22}', 'RFC 7516'],
  [
    'PEM RSA',
    '-----BEGIN RSA PRIVATE KEY-----\n|{w64}\n{w64}\n{w20}==|\n-----END RSA PRIVATE KEY-----',
    'RFC 7468',
  ],
  ['PEM PKCS 8', '-----BEGIN PRIVATE KEY-----\n|{w64}\n{w64}|\n-----END PRIVATE KEY-----', 'RFC 5958'],
  [
    'PEM encrypted',
    '-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n|{w64}\n{w64}|\n-----END EC PRIVATE KEY-----',
    'RFC 1421',
  ],
  [
    'OpenSSH',
    '-----BEGIN OPENSSH PRIVATE KEY-----\n|{w70}\n{w70}|\n-----END OPENSSH PRIVATE KEY-----',
    'OpenSSH PROTOCOL.key',
  ],
  [
    'OpenPGP',
    '-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n|{w64}\n{w64}|\n-----END PGP PRIVATE KEY BLOCK-----',
    'RFC 9580',
  ],
  ['PEM that was cut', '-----BEGIN PRIVATE KEY-----\n|{w64}\n{w64}|', 'RFC 7468'],
  ['token as user of a URL', 'https://|{w40}|@git.example.com/acme/app.git', 'RFC 3986'],
  ['password in a URL', 'https://ada:|{w12}|@example.com/x', 'RFC 3986'],
  ['password with @ in a URL', 'postgres://ada:|p@{w6}@{w6}|@db.example.com:5432/app', 'RFC 3986'],
  ['redis password without a user', 'redis://:|{w24}|@cache:6379/0', 'RFC 3986'],
  ['X-API-Key', 'X-API-Key: |{w24}|', 'OpenAPI, security schemes'],
  ['PRIVATE-TOKEN', 'PRIVATE-TOKEN: |{w20}|', 'docs.gitlab.com'],
  ['X-Auth-Token of letters', 'X-Auth-Token: |{a24}|', 'docs.openstack.org'],
  ['Authorization: Bearer', 'Authorization: Bearer |{w40}|', 'RFC 6750'],
  [
    'Authorization: Digest',
    'Authorization: Digest |username="ada", realm="x y", nonce="{h32}", uri="/", response="{h32}"|',
    'RFC 7616',
  ],
  ['Proxy-Authorization', 'Proxy-Authorization: Basic |{w24}|', 'RFC 9110'],
  ['Cookie', 'Cookie: |sid={w24}; csrf={w12}|', 'RFC 6265'],
  ['password=', 'connect failed: host=db user=ada password=|hunter|', 'libpq, "Connection strings"'],
  ['password in JSON', '{"user":"ada","password":"|correct horse \\"battery\\"|"}', 'RFC 8259'],
  ['password in YAML', 'password: |p4ssw0rd!|', 'YAML 1.2'],
  ['access_token in a query', 'https://api.example.com/v1/x?access_token=|{w40}|&page=2', 'RFC 6750'],
  ['api_key in a query', 'https://api.example.com/v1/x?page=2&api_key=|{h32}|', 'OpenAPI, security schemes'],
  ['client secret in a form', 'grant_type=client_credentials&client_secret=|{w40}|', 'RFC 6749'],
  ['variable of an environment', 'export DEPLOY_TOKEN=|{w32}|', 'POSIX sh'],
  ['camelCase in code', 'const options = { clientSecret: "|{w32}|" };', 'ECMAScript'],
  ['option of a program', 'deploy --token |{w32}| --verbose', 'POSIX, "Utility argument syntax"'],
  ['.npmrc', '//registry.example.com/:_authToken=|{w40}|', 'docs.npmjs.com'],
  ['.netrc-like curl', 'curl -u ada:|{w16}| https://example.com', 'curl(1)'],
];

describe('F7: what is a secret by its form is taken out whole', () => {
  test.each(SHAPES)('F7: %s', (_, shape) => {
    const { text, secret } = secretText(shape);
    for (const place of PLACES) {
      const given = place(text);
      const left = redact(given);
      const written = given.includes(secret) ? secret : JSON.stringify(secret).slice(1, -1);
      expect(leftOf(written, left), left).toBe('');
      expect(left).toContain('[redacted]');
      if (given.startsWith('{"message"')) expect(() => JSON.parse(left), left).not.toThrow();
    }
  });

  test('F7: each rule of gitleaks', () => {
    expect(GITLEAKS_RULES).toHaveLength(221);
    const kept = GITLEAKS_RULES.flatMap(([rule, shape]) => {
      const { text, secret } = secretText(shape);
      const left = PLACES.map((place) => redact(place(text)));
      const bare = secret.split('\n');
      return left.every((each) => bare.every((line) => leftOf(line, each) === ''))
        ? []
        : [`${rule}: ${left[0]}`];
    });
    expect(kept).toEqual([]);
  });

  test('F7: each shape names its source, and each is a pattern without capturing groups', () => {
    for (const { name, pattern, source } of TOKEN_SHAPES) {
      expect(source, name).not.toBe('');
      expect(new RegExp(`${pattern}|`).exec('')).toHaveLength(1);
    }
  });
});

/** The same kinds where they are met in files, commands and addresses. */
const CONTEXTS: readonly (readonly [name: string, shape: string])[] = [
  ['git remote', 'origin\thttps://x-access-token:|ghs_{w36}|@github.com/acme/app.git (fetch)'],
  ['git remote of GitLab CI', 'https://gitlab-ci-token:|glcbt-64_{w20}|@gitlab.example.com/acme/app.git'],
  ['postgres', 'DATABASE_URL=postgres://app:|{w14}|@db:5432/app?sslmode=require'],
  ['mongodb+srv', 'mongodb+srv://app:|{w14}|@cluster0.example.mongodb.net/test'],
  ['amqp', 'amqp://app:|{w14}|@mq:5672/%2f'],
  [
    'Azure Service Bus',
    'Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=|{w43}=|',
  ],
  ['.env with quotes', 'STRIPE_KEY="|sk_live_{w24}|"'],
  ['YAML', 'anthropic:\n  key: |sk-ant-api03-{w93}AA|\n'],
  ['header of small letters', 'x-api-key: |{w24}|'],
  ['header of capitals', 'AUTHORIZATION: BEARER |{w40}|'],
  ['basic authentication of curl', 'curl -s --user ada:|{w16}| https://example.com'],
  ['URL-encoded', 'next=https%3A%2F%2Fx%3Ftoken%3D|ghp_{w36}|%26a'],
  [
    'key of a service account',
    '{"private_key_id": "x", "private_key": "-----BEGIN PRIVATE KEY-----\\n|{w64}\\n{w20}|\\n-----END PRIVATE KEY-----\\n"}',
  ],
  ['Twilio', 'SK{h32}'],
  ['Mailgun', 'key-{h32}'],
  ['Grafana', 'glsa_{w32}_{h8}'],
  ['Vault', 'hvs.{w90}'],
  ['Databricks', 'dapi{h32}'],
  ['DigitalOcean', 'dop_v1_{h64}'],
  ['Doppler', 'dp.st.dev.{w40}'],
  ['PlanetScale', 'pscale_tkn_{w43}'],
  ['NuGet', 'oy2{z43}'],
  ['Shopify', 'shpat_{h32}'],
  ['Notion', 'ntn_{w46}'],
  ['Notion, older', 'secret_{w43}'],
  ['Airtable', 'pat{w14}.{h64}'],
  ['Figma', 'figd_{w40}'],
  ['Slack cookie', 'xoxd-{w60}'],
  ['Stripe test key', 'sk_test_{w24}'],
  ['Slack refresh', 'xoxe-1-{A60}'],
  ['Cloudflare', 'CLOUDFLARE_API_TOKEN=|{w40}|'],
  ['Twilio in an environment', 'TWILIO_AUTH_TOKEN=|{h32}|'],
];

test.each(CONTEXTS)('F7: where it is met: %s', (_, shape) => {
  const { text, secret } = secretText(shape);
  const left = redact(text);
  expect(leftOf(secret, left), left).toBe('');
  expect(left).toContain('[redacted]');
});

const IMAGE = secretText('data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA{w400}==').text;

const UNTOUCHED: readonly string[] = [
  secretText('{h40}').text,
  secretText('commit {h40}').text,
  secretText('https://github.com/acme/app/commit/{h40}').text,
  secretText('https://gitlab.example.com/acme/app/-/commit/{h40}?view=parallel').text,
  secretText('https://github.com/acme/app/compare/{h40}...{h40}').text,
  secretText('sha256:{h64}').text,
  secretText('sha512-{w86}==').text,
  secretText('docker pull ghcr.io/acme/app@sha256:{h64}').text,
  secretText('md5 {h32}').text,
  secretText('{u}').text,
  secretText('{U}').text,
  secretText('request {u} failed after 3 tries').text,
  secretText('urn:uuid:{u}').text,
  IMAGE,
  `<img src="${IMAGE}">`,
  `![](${IMAGE})`,
  'v1.2.3-beta.4+build.20260301',
  'node v24.18.1, npm 11.4.2, linux-x64',
  '"hookctl": "^0.1.0", "yaml": "2.9.1"',
  'go1.25.3 toolchain golang.org/x/net v0.43.0 h1:2lnKCm4MFgzHNAnY1SSnYpoz7NLEkbiSWmMhwk6QA4g=',
  'task-01hzy2m8k4c6v0qe is queued for planning',
  'run-01hzy2m8k4c6v0qe ended; out-01hzy2m8k4c6v0qe and conv-01hzy2m8k4c6v0qe wait',
  'flow-5f2a9c4be1d07a33 github:acme/app#42',
  '<!-- hookctl:out-01hzy2m8k4c6v0qe -->',
  'id:72d3162e-cc78-11e3-81ab-4c9367dc0958 body:9f86d081884c7d659a2feaa0c55ad015',
  'see https://example.com:8080/@ada and mail ada@example.com',
  'ssh://git@github.com/acme/app.git',
  'https://oauth2@gitlab.example.com/acme/app.git',
  'set GITHUB_TOKEN, or credentials.github.tokenEnv: GITHUB_TOKEN',
  'secret: env WEBHOOK_SECRET_GITHUB',
  'curl -H "Authorization: Bearer $(hookctl token)" http://127.0.0.1:8001/api/status',
  'const token: string = await getToken();',
  'password: string; secret: z.string()',
  'password = process.env.DB_PASSWORD',
  'the token, the secret and the password are missing',
  'input_tokens: 1234567, output_tokens: 89, max_tokens=4096',
  'hookctl webhook rotate-secret github --secret-env GITHUB_SECRET',
  'uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0',
  '1740837600000 2026-03-01T14:05:00.000Z +49 30 901820 4111',
  'class TokenBucket extends SecretStore { keyOf = (a: string) => a.key; }',
  'src/lib/redact/secret-shapes.ts:120:14 error TS2345: Argument of type',
  'sha256~ and sk- and ghp_ and xoxb- are prefixes; AKIA too',
];

test('F7: 40 texts that hold no secret stay as they are', () => {
  expect(UNTOUCHED.length).toBeGreaterThanOrEqual(40);
  expect(UNTOUCHED.map(redact)).toEqual(UNTOUCHED);
});

/** Beginnings of secrets that never come to an end, and runs in which each character may begin one. */
const HOSTILE: readonly string[] = [
  ...[
    '://',
    '://a:',
    'token=',
    'password="',
    "secret='",
    'eyJ',
    '-eyJ-',
    'eyJ.',
    'sk-',
    'glpat-',
    'a@',
    'curl -u ',
    '?token=',
    '--token ',
  ],
  ...[
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN ',
    'authorization: ',
    'authorization: a, b="',
    'cookie: ',
    'A',
    '1',
    '\\"',
    'secret_',
    'x-api-key',
    '_',
  ],
];

test('F7: the time that a text takes grows with its length, whatever it is', () => {
  for (const piece of HOSTILE) {
    const redactRepeated = (length: number) => void redact(piece.repeat(Math.ceil(length / piece.length)));
    expect(growth(redactRepeated, 40_000), piece).toBeLessThan(LINEAR);
  }
});
