import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programIn, unpackDebian } from './install.ts';
import { runProgram, type SenderProgram, TOKEN, Unavailable } from './kit.ts';

/** Debian's own: its modules of compiled code fit no other. */
const PYTHON = '/usr/bin/python3';

export const buildbot: SenderProgram = {
  name: 'buildbot',
  commands: [
    {
      trigger: 'build.failure',
      conditions: { 'builder.name': 'linux' },
      template: 'Fix {{@event.externalId}}',
    },
  ],
  async run(stage) {
    if (!existsSync(PYTHON)) throw new Unavailable(`${PYTHON} is missing`);
    const root = await unpackDebian(stage.folder, ['buildbot', 'buildbot-worker']);
    const program = programIn(root, 'usr/bin/buildbot');
    const env = { ...process.env, PYTHONPATH: join(root, 'usr/lib/python3/dist-packages') };
    const master = join(stage.folder, 'master');
    mkdirSync(master);
    await runProgram(PYTHON, [program, 'create-master', '--quiet', master], { cwd: stage.folder, env });
    writeFileSync(join(master, 'master.cfg'), masterConfig(stage.url));
    // Each scheduler of the configuration starts its first build at once.
    stage.start(PYTHON, [program, 'start', '--nodaemon', master], { env });
    await stage.expect(
      [
        ...['build.started docs#1', 'build.started linux#1', 'build.started mac#1'],
        ...['build.failure docs#1', 'build.failure linux#1', 'build.success mac#1'],
      ],
      ['Fix buildbot:buildbot:linux#1'],
    );
  },
};

function masterConfig(url: string): string {
  return `from buildbot.plugins import reporters, schedulers, steps, util, worker

def builder(name, program):
    factory = util.BuildFactory([steps.ShellCommand(command=[program])])
    return util.BuilderConfig(name=name, workernames=['local'], factory=factory)

builders = [builder('linux', 'false'), builder('docs', 'false'), builder('mac', 'true')]
BuildmasterConfig = {
    'title': 'Builds', 'titleURL': 'http://127.0.0.1/', 'buildbotURL': 'http://127.0.0.1/',
    'buildbotNetUsageData': None, 'protocols': {'null': {}}, 'db': {'db_url': 'sqlite:///state.sqlite'},
    'workers': [worker.LocalWorker('local')],
    'builders': builders,
    'schedulers': [
        schedulers.Periodic(name=each.name, builderNames=[each.name], periodicBuildTimer=3600)
        for each in builders
    ],
    'services': [reporters.HttpStatusPush(serverUrl='${url}', auth=('hookctl', '${TOKEN}'))],
}
`;
}
