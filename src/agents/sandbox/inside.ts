/** What the program inside is told: `ports` lead to sockets of hookctl, the limits are of all processes together. */
interface InsideOrder {
  readonly sockets: string;
  readonly ports: readonly (readonly [port: number, socket: string])[];
  readonly memory: number;
  readonly processes: number;
}

/** Where the sockets and programs of hookctl are inside. */
export const INSIDE_FOLDER = '/run/hookctl';
/** Where the proxy is inside, on loopback. */
export const PROXY_PORT = 3128;

/** Arguments of node that start a program inside, behind the forwarder. */
export function insideArguments(
  order: Omit<InsideOrder, 'sockets'>,
  program: string,
  args: readonly string[],
): readonly string[] {
  return [
    `${INSIDE_FOLDER}/inside.mjs`,
    JSON.stringify({ sockets: INSIDE_FOLDER, ...order }),
    program,
    ...args,
  ];
}

/** The programs that run inside, as files: hookctl itself is not there. */
export const insideFiles: Readonly<Record<string, string>> = {
  'inside.mjs': `(${forwarder.toString()})();\n`,
  'credential.mjs': `(${credential.toString()})();\n`,
  'app-credential.mjs': `(${appCredential.toString()})();\n`,
};

/**
 * Runs inside, alone: nothing but its own text is there. Starts the agent once the ports listen, passes on the end that
 * hookctl asks for, and ends everything when hookctl is gone or the limits are passed. bubblewrap has no limits of its
 * own, so they are watched.
 */
function forwarder(): void {
  const net = process.getBuiltinModule('node:net');
  const fs = process.getBuiltinModule('node:fs');
  const { constants } = process.getBuiltinModule('node:os');
  const { spawn } = process.getBuiltinModule('node:child_process');
  const [text = '', program = '', ...args] = process.argv.slice(2);
  const order = JSON.parse(text) as InsideOrder;
  const say = (line: string) => fs.writeSync(2, `sandbox: ${line}\n`);

  const endAll = (status: number): never => {
    try {
      // All but this process and the first one of the namespace.
      process.kill(-1, 'SIGKILL');
    } catch {
      // Nothing else runs.
    }
    process.exit(status);
  };
  const watch = () => {
    const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
    let bytes = 0;
    for (const pid of pids) {
      try {
        bytes += Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
      } catch {
        // It has just ended.
      }
    }
    if (pids.length > order.processes) say(`more than ${order.processes} processes: the run is ended`);
    else if (bytes > order.memory)
      say(`more than ${order.memory / 1024 ** 2} MB of memory: the run is ended`);
    else return;
    endAll(137);
  };
  const start = () => {
    // A group of its own, so that all of it can be asked to end.
    const child = spawn(program, args, { stdio: 'inherit', detached: true });
    child.once('error', (error) => {
      say(`${program} could not be started: ${error.message}`);
      process.exit(127);
    });
    child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    const control = net.connect(`${order.sockets}/control.sock`);
    control.on('data', () => {
      try {
        process.kill(-(child.pid ?? 0), 'SIGTERM');
      } catch {
        // It has just ended.
      }
    });
    control.on('error', () => undefined).once('close', () => endAll(137));
    setInterval(watch, 250);
  };
  let missing = order.ports.length;
  for (const [port, socket] of order.ports) {
    const server = net.createServer({ allowHalfOpen: true }, (near) => {
      const far = net.connect({ path: `${order.sockets}/${socket}`, allowHalfOpen: true });
      near.pipe(far).pipe(near);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => other.destroy()).once('close', () => other.destroy());
      }
    });
    server.listen(port, '127.0.0.1', () => {
      missing -= 1;
      if (missing === 0) start();
    });
  }
  if (missing === 0) start();
}

/** Git's credential helper inside: asks hookctl, which asks the user's own helper for the hosts that are listed. */
function credential(): void {
  const net = process.getBuiltinModule('node:net');
  if (process.argv[2] !== 'get') return;
  const socket = net.connect('/run/hookctl/git.sock');
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
  socket.on('error', () => undefined);
}

/** The helper for tokens of hookctl's GitHub App: what `hookctl git-credential` does, which is not there inside. */
function appCredential(): void {
  const http = process.getBuiltinModule('node:http');
  const [, , action = ''] = process.argv;
  const { HOOKCTL_MCP_URL: url, HOOKCTL_RUN_TOKEN: token, HOOKCTL_RUN_ID: run } = process.env;
  if ((action !== 'get' && action !== 'erase') || url === undefined) return;
  const refuse = (why: string) => {
    process.stderr.write(`hookctl: no token: ${why}\n`);
    if (action === 'get') process.stdout.write('quit=1\n');
  };
  const read = (stream: NodeJS.ReadableStream, done: (text: string) => void) => {
    let text = '';
    stream.setEncoding('utf8');
    stream.on('data', (part) => {
      text += String(part);
    });
    stream.on('end', () => done(text));
  };
  read(process.stdin, (question) => {
    const lines = question.split(/\r?\n/).filter((line) => line.includes('='));
    const told = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const { protocol = '', host = '', path, password } = told;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const request = http.request(new URL(`/hooks/git/${run}`, url), { method: 'POST', headers }, (response) =>
      read(response, (text) => {
        const { statusCode } = response;
        const said = JSON.parse(text);
        if (action === 'erase' || said.code === 'no_app') return;
        if (statusCode === 200)
          process.stdout.write(`username=${said.username}\npassword=${said.password}\n`);
        else refuse([said.detail, said.fix].filter(Boolean).join('. '));
      }),
    );
    request.on('error', (error) => refuse(error.message));
    request.end(JSON.stringify({ action, protocol, host, path, password }));
  });
}
