import { shellQuote } from '../../lib/shell-quote.ts';

/** Which program of the system keeps services running. */
export const MANAGERS = ['systemd', 'launchd'] as const;
export type Manager = (typeof MANAGERS)[number];

/** What a service runs. All paths are absolute. */
export interface ServiceSpec {
  /** `hookctl-shop-1a2b3c`; the same for the same data folder. */
  readonly name: string;
  readonly node: string;
  /** hookctl's own file, by a path that stays when hookctl is upgraded. */
  readonly program: string;
  readonly workingFolder: string;
  /** Variables with secrets, `NAME=value` lines, of mode 0600. */
  readonly envFile: string;
  /** Where programs are found: node, git and those of agents. */
  readonly path: string;
  readonly dataFolder: string;
  /** After `hookctl serve`. */
  readonly args: readonly string[];
  /** Where launchd writes what is printed; systemd has its journal. */
  readonly logFile: string;
}

/** Above the time that `serve` takes at most to end (9.5 s), in seconds. */
const STOP_S = 15;

/** Mistakes in the configuration (3) and the command line (2) stay until a person mends them. */
const FINAL = [2, 3];

function commandOf({ node, program, envFile, args }: ServiceSpec): readonly string[] {
  return [node, `--env-file-if-exists=${envFile}`, program, 'serve', ...args];
}

/** The unit of systemd's user manager. Source: systemd.service(5), systemd.exec(5), systemd.unit(5). */
export function systemdUnit(spec: ServiceSpec): string {
  return `# Written by hookctl service install, which replaces it.
[Unit]
Description=hookctl for ${escapeUnit(spec.workingFolder)}
# A machine without a network yet is tried again and again.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${commandOf(spec)
    .map((word) => unitWord(word).replaceAll('$', '$$$$'))
    .join(' ')}
WorkingDirectory=${escapeUnit(spec.workingFolder)}
Environment=${unitWord(`PATH=${spec.path}`)}
Environment=${unitWord(`HOOKCTL_HOME=${spec.dataFolder}`)}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=${FINAL.join(' ')}
# serve ends its agents in order; what is left afterwards is killed.
KillMode=mixed
TimeoutStopSec=${STOP_S}
UMask=0077

[Install]
WantedBy=default.target
`;
}

/** A word of a unit. In a command line a `$` has to be doubled, too. */
function unitWord(text: string): string {
  return `"${escapeUnit(text.replace(/[\\"]/g, '\\$&'))}"`;
}

function escapeUnit(text: string): string {
  return text.replaceAll('%', '%%');
}

/**
 * launchd starts again after every status but 0, so that a shell makes 0 of those that are final. It passes SIGTERM on, and
 * waits for the end of serve: launchd kills what is left when its own child ends. A SIGTERM may come before the start is known.
 */
const WRAPPER = `asked= child=
trap 'asked=1; [ -z "$child" ] || kill -TERM $child' TERM INT
"$@" & child=$!
[ -z "$asked" ] || kill -TERM $child
wait $child; status=$?
while kill -0 $child 2>/dev/null; do wait $child; status=$?; done
case $status in ${FINAL.join('|')}) echo "hookctl ended with $status and is not started again: see above" >&2; exit 0 ;; esac
exit $status`;

/** The agent of launchd. Source: launchd.plist(5). */
export function launchdPlist(spec: ServiceSpec): string {
  const words = ['/bin/sh', '-c', WRAPPER, 'hookctl-service', ...commandOf(spec)];
  const environment = { PATH: spec.path, HOOKCTL_HOME: spec.dataFolder };
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by hookctl service install, which replaces it. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${xml(spec.name)}</string>
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    <string>${xml(word)}</string>`).join('\n')}
  </array>
  <key>WorkingDirectory</key>
  <string>${xml(spec.workingFolder)}</string>
  <key>EnvironmentVariables</key>
  <dict>
${Object.entries(environment)
  .map(([name, value]) => `    <key>${name}</key>\n    <string>${xml(value)}</string>`)
  .join('\n')}
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>5</integer>
  <key>ExitTimeOut</key>
  <integer>${STOP_S}</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  <string>${xml(spec.logFile)}</string>
  <key>StandardErrorPath</key>
  <string>${xml(spec.logFile)}</string>
</dict>
</plist>
`;
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The file of variables that `serve` reads: those that are set now, and the names of those that are not. */
export function envFileText(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string {
  const lines = names.map((name) => {
    const value = env[name];
    return value === undefined || value === '' ? `# ${name}=` : `${name}=${envValue(value)}`;
  });
  return `# Secrets of hookctl as a service: NAME=value lines. Keep it to yourself (0600).
# After a change: hookctl service restart
${lines.join('\n')}
`;
}

/** As `node --env-file` reads it: within quotes that the value does not hold. */
function envValue(value: string): string {
  if (/^[\w./:@+,=-]*$/.test(value)) return value;
  const mark = ["'", '"', '`'].find((each) => !value.includes(each)) ?? "'";
  return `${mark}${value}${mark}`;
}

/** A command line for people. */
export function shown(spec: ServiceSpec): string {
  return commandOf(spec).map(shellQuote).join(' ');
}
