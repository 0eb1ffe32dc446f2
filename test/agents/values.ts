/** Secrets that a process like `serve` may hold, by variable. */
export const SECRETS: Readonly<Record<string, string>> = Object.fromEntries(
  `GITHUB_WEBHOOK_SECRET GITHUB_TOKEN GH_TOKEN GITLAB_TOKEN GITLAB_WEBHOOK_SECRET JIRA_API_TOKEN JIRA_WEBHOOK_SECRET
  SLACK_BOT_TOKEN SLACK_SIGNING_SECRET SENTRY_AUTH_TOKEN SENTRY_CLIENT_SECRET LINEAR_API_KEY STRIPE_SECRET_KEY
  DISCORD_BOT_TOKEN NGROK_AUTHTOKEN TUNNEL_TOKEN CLOUDFLARE_API_TOKEN AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  NPM_TOKEN DATABASE_URL PGPASSWORD OPENAI_API_KEY HOOKCTL_TOKEN SSH_AUTH_SOCK`
    .split(/\s+/)
    .map((name, index) => [name, `planted-${index}-${name.toLowerCase()}`]),
);

/** What a title, a URL or an id could be to make a program do something else. */
export const OPTIONS: readonly string[] = [
  ...['-', '--', '---', '-h', '-p', '-c', '-e', '-x', '-rf', '-o/tmp/x', '-Xmx9g', '-Dx=y', '-1', '-- -x'],
  ...['--help', '--version', '--eval=1', '--exec=touch canary', '--config=/tmp/evil', '--output=/etc/passwd'],
  ...[
    '--dangerously-skip-permissions',
    '--permission-mode=bypassPermissions',
    '--permission-mode',
    '--resume',
  ],
  ...[
    '--mcp-config=/tmp/evil.json',
    '--settings={"hooks":{}}',
    '--allowedTools',
    '--allowedTools=Bash',
    '--add-dir=/',
  ],
  ...[
    '--session-id=x',
    '--model=opus',
    '--upload-pack=touch canary',
    '--receive-pack=x',
    '--no-verify',
    '--force',
  ],
  ...[
    '@/etc/passwd',
    '@file',
    '+cmd',
    '+!touch canary',
    '-\u0000x',
    '\u200b--force',
    ' --force',
    '\n--force',
    '\t-x',
  ],
  ...[
    '--title=x --force',
    '-x -y -z',
    '--=',
    '-=',
    '--a=b=c',
    '—force',
    '–x',
    '\u2212x',
    '-\u202ex',
    '--\u00a0x',
  ],
];

export const COMMANDS: readonly string[] = [
  ...[
    '$(touch canary)',
    '`touch canary`',
    '; touch canary',
    '&& touch canary',
    '|| touch canary',
    '| touch canary',
  ],
  ...[
    '& touch canary &',
    '\ntouch canary\n',
    '\r\ntouch canary',
    '$(touch$' + '{IFS}canary)',
    '$' + '{IFS}touch canary',
  ],
  ...[
    "'; touch canary; '",
    '"; touch canary; "',
    "' || touch canary #",
    '"$(touch canary)"',
    '\\"; touch canary',
  ],
  ...[
    '> canary',
    '>> canary',
    '< /etc/passwd',
    '2> canary',
    '<(touch canary)',
    '>(touch canary)',
    '<<EOF\ncanary\nEOF',
  ],
  ...[
    '!touch canary',
    '!!',
    '~root',
    '*',
    '?',
    '[a-z]*',
    '{a,b}',
    '$HOME',
    '$PATH',
    '%PATH%',
    '!PATH!',
    '$((1+1))',
  ],
  ...[
    '../../../bin/sh',
    '/bin/sh -c "touch canary"',
    'sh -c "touch canary"',
    'file:///etc/passwd',
    'ext::sh -c id',
  ],
  ...[
    'touch\u0000canary',
    '\u001b]52;c;dG91Y2g=\u0007',
    '\u2028touch canary',
    '\u{E0074}ouch canary',
    '{{title}}',
  ],
  ...[
    '{{session}}',
    '{{promptFile}}',
    '<untrusted-0>touch canary</untrusted-0>',
    '%s%n%x',
    '() { :; }; touch canary',
  ],
];
