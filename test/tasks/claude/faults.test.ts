import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFolder } from '../../../src/tasks/claude/folder.ts';
import { type ClaudeTasks, claudeConfigDir, sessionCommand } from '../../../src/tasks/claude/index.ts';
import type { Task } from '../../../src/types.ts';
import { aTask, createScene, noted, type Scene } from './support.ts';

const isRoot = process.getuid?.() === 0;

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(() => scene.remove());

test('the folder is CLAUDE_CONFIG_DIR, else ~/.claude, in NFC', () => {
  expect(claudeConfigDir({}, '/home/dev')).toEqual({ path: '/home/dev/.claude', explicit: false });
  expect(claudeConfigDir({ CLAUDE_CONFIG_DIR: '' }, '/home/dev').explicit).toBe(false);
  expect(claudeConfigDir({ CLAUDE_CONFIG_DIR: '/cafe\u0301' }, '/home/dev')).toEqual({
    path: '/caf\u00e9',
    explicit: true,
  });
});

test('the list id becomes the folder name that Claude Code makes of it', async () => {
  const claude = await scene.open({ list: 'hookctl:flow/abc.1' });
  expect(claude.state).toMatchObject({ listDir: join(scene.tasksDir, 'hookctl-flow-abc-1') });
  expect(sessionCommand('hookctl:flow/abc.1')).toBe(
    'CLAUDE_CODE_TASK_LIST_ID=hookctl-flow-abc-1 CLAUDE_CODE_ENABLE_TODO_TOOLS=1 claude',
  );
});

test('a ~/.claude that does not exist is not made; once it is there tasks get in', async () => {
  const claude = await scene.open({ explicit: false });
  const reason = `${scene.configDir} does not exist: start Claude Code once, or set CLAUDE_CONFIG_DIR`;
  expect(claude.state).toEqual({ on: false, reason });
  expect(await claude.project([aTask('task-a')])).toMatchObject([{ claudeTaskId: null, unsynced: reason }]);
  expect(await readdir(scene.root)).toEqual([]);

  await mkdir(scene.configDir);
  expect(await claude.repair([aTask('task-a')])).toMatchObject([{ unsynced: null }]);
  expect(await scene.listedIds()).toEqual(['task-a']);
});

test('a folder that the next task made anew lacks the earlier ones: they count as behind until a repair', async () => {
  const claude = await scene.open();
  await claude.project([aTask('task-a')]);
  expect(claude.isBehind).toBe(false);
  await rename(scene.listDir, `${scene.listDir}-away`);
  await claude.project([aTask('task-b')]);
  expect(await scene.listedIds()).toEqual(['task-b']);
  expect(claude.isBehind).toBe(true);
  await claude.repair([aTask('task-a'), aTask('task-b')]);
  expect((await scene.listedIds()).toSorted()).toEqual(['task-a', 'task-b']);
  expect(claude.isBehind).toBe(false);
});

test('reading never makes the folder anew, not even one that goes while it is opened', async () => {
  const claude = await scene.open();
  for (let round = 0; round < 200; round += 1) {
    await mkdir(scene.listDir, { recursive: true });
    await Promise.all([claude.list?.read(), rename(scene.listDir, join(scene.root, `away-${round}`))]);
    expect(existsSync(scene.listDir)).toBe(false);
  }
});

test.each([
  ['tasks', 'is a symbolic link'],
  ['tasks/hookctl', 'is a symbolic link'],
])('a symbolic link as %s is refused, and nothing is written through it', async (name, words) => {
  const outside = join(scene.root, 'outside');
  await mkdir(outside);
  await mkdir(join(scene.configDir, name, '..'), { recursive: true });
  await symlink(outside, join(scene.configDir, name));
  const claude = await scene.open();
  expect(claude.state).toEqual({ on: false, reason: expect.stringContaining(words) });
  expect(await claude.project([aTask('task-a')])).toMatchObject([
    { unsynced: expect.stringContaining(words) },
  ]);
  expect(await readdir(outside)).toEqual([]);
});

test.runIf(isRoot)('a folder of another user is refused', async () => {
  await mkdir(scene.listDir, { recursive: true });
  await chown(scene.listDir, 12_345, 12_345);
  const { state } = await scene.open();
  expect(state).toEqual({ on: false, reason: `${scene.listDir} belongs to another user` });
});

interface Fault {
  readonly name: string;
  /** What the tasks that arrive meanwhile are told; null where hookctl just makes the folder again. */
  readonly told: string | null;
  breakIt(): Promise<void>;
  mend(): Promise<void>;
}

const aside = () => join(scene.root, 'aside');
const backToOriginal = async () => {
  await rm(scene.listDir, { recursive: true, force: true });
  await rename(aside(), scene.listDir);
};

/** Puts something in the place of the list folder, which hookctl may have made again meanwhile. */
async function replaceList(put: () => Promise<void>): Promise<void> {
  await rename(scene.listDir, aside());
  const isPut = () =>
    put().then(
      () => true,
      () => false,
    );
  while (!(await isPut()))
    await rm(scene.listDir, { recursive: true, force: true, maxRetries: 50, retryDelay: 3 });
}

const FAULTS: readonly Fault[] = [
  {
    name: 'removed',
    told: null,
    breakIt: () => rm(scene.listDir, { recursive: true, force: true, maxRetries: 50, retryDelay: 3 }),
    mend: async () => undefined,
  },
  {
    name: 'replaced by a file',
    told: 'is a file where a folder should be',
    breakIt: () => replaceList(() => writeFile(scene.listDir, 'mine')),
    mend: async () => {
      await rm(scene.listDir, { recursive: true });
      await rm(aside(), { recursive: true });
    },
  },
  {
    name: 'replaced by a symbolic link',
    told: 'is a symbolic link',
    breakIt: () => replaceList(() => symlink(join(scene.root, 'outside'), scene.listDir)),
    mend: backToOriginal,
  },
  {
    name: 'moved away and refilled by somebody else',
    told: null,
    breakIt: async () => {
      await rename(scene.listDir, aside());
      await mkdir(scene.listDir, { recursive: true });
      const mine = {
        id: '2',
        subject: 'Mine',
        description: '',
        status: 'pending',
        blocks: [],
        blockedBy: [],
      };
      await writeFile(join(scene.listDir, '2.json'), JSON.stringify(mine));
    },
    mend: backToOriginal,
  },
  ...(isRoot
    ? []
    : [
        {
          name: 'made read-only',
          told: 'is not writable',
          breakIt: () => chmod(scene.listDir, 0o500),
          mend: () => chmod(scene.listDir, 0o700),
        },
      ]),
];

/** Projects task after task until told to stop, and then once more; returns each as the store has it. */
async function keepProjecting(
  claude: ClaudeTasks,
  prefix: string,
  isOver: () => boolean,
): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  for (let isLast = false; ; isLast = isOver()) {
    const batch = [0, 1, 2].map((index) => aTask(`task-${prefix}-${tasks.length + index}`));
    const notes = (await Promise.all(batch.map((task) => claude.project([task])))).flat();
    tasks.push(...batch.map((task, index) => noted(task, notes[index])));
    if (isLast) return tasks;
  }
}

test.each(FAULTS)(
  'the list folder $name ten times while tasks arrive: nothing is lost or doubled',
  async ({ told, breakIt, mend }) => {
    const outside = join(scene.root, 'outside');
    await mkdir(outside);
    const claude = await scene.open({ lockPatienceMs: 500 });
    let stored: readonly Task[] = [];
    for (let round = 0; round < 10; round += 1) {
      let isBroken = false;
      const arriving = keepProjecting(claude, String(round), () => isBroken);
      await breakIt();
      isBroken = true;
      const arrived = await arriving;
      if (told !== null) expect(arrived.at(-1)?.unsynced).toContain(told);
      stored = [...stored, ...arrived];
      await mend();
      const notes = await claude.repair(stored);
      expect(notes.filter(({ unsynced }) => unsynced !== null)).toEqual([]);
      stored = stored.map((task, index) => noted(task, notes[index]));
      expect([...(await scene.listedIds())].sort()).toEqual(stored.map(({ id }) => id).sort());
    }
    expect(await readdir(outside)).toEqual([]);
    const names = [...(await readdir(scene.tasksDir)), ...(await readdir(scene.listDir))];
    expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  },
  30_000,
);

test.runIf(process.platform === 'linux')(
  'a link put in place of an open folder is not followed, and noticed',
  async () => {
    const [inside, outside] = [join(scene.root, 'inside'), join(scene.root, 'outside')];
    await mkdir(outside);
    const folder = await openFolder(inside, inside);
    await rename(inside, aside());
    await symlink(outside, inside);
    await writeFile(join(folder.path, '1.json'), '{}');
    await expect(folder.assertInPlace()).rejects.toThrow(`${inside} was removed or replaced`);
    await folder.close();
    expect(await readdir(outside)).toEqual([]);
  },
);

test('a folder that was restored from elsewhere between two writes is read anew', async () => {
  const claude = await scene.open();
  await claude.project([aTask('task-a'), aTask('task-b')]);
  const restored = { ...(await scene.entryOf('task-b')), id: '2' };
  await rm(scene.listDir, { recursive: true });
  await mkdir(scene.listDir);
  await writeFile(join(scene.listDir, '2.json'), JSON.stringify(restored));
  await claude.project([aTask('task-b')]);
  expect(await scene.entryOf('task-b')).toMatchObject({ id: '2' });
});

test('a task that waits for approval does not miss a list that cannot be written', async () => {
  await mkdir(scene.tasksDir, { recursive: true });
  await writeFile(scene.listDir, 'mine');
  const claude = await scene.open();
  const waiting = aTask('task-a', { status: 'waiting_approval' });
  expect(await claude.project([waiting, aTask('task-b')])).toMatchObject([
    { claudeTaskId: 'claude-task-task-a', unsynced: null },
    { claudeTaskId: 'claude-task-task-b', unsynced: `${scene.listDir} is a file where a folder should be` },
  ]);
});

test('a file where the tasks folder should be is named, and left alone', async () => {
  await mkdir(scene.configDir);
  await writeFile(scene.tasksDir, 'mine');
  const claude = await scene.open();
  const reason = `${scene.tasksDir} is a file where a folder should be`;
  expect(await claude.project([aTask('task-a')])).toEqual([
    { taskId: 'task-a', claudeTaskId: null, claudeList: null, unsynced: reason },
  ]);
  await rm(scene.tasksDir);
  expect(await claude.project([aTask('task-a')])).toMatchObject([{ unsynced: null }]);
});

test('a folder in place of an entry is left alone: the task gets another number', async () => {
  const claude = await scene.open();
  const [note] = await claude.project([aTask('task-a')]);
  await rm(join(scene.listDir, '2.json'));
  await mkdir(join(scene.listDir, '2.json'));
  const notes = await claude.project([noted(aTask('task-a'), note), aTask('task-b')]);
  expect(notes).toMatchObject([
    { claudeList: { number: 3 }, unsynced: null },
    { claudeList: { number: 4 }, unsynced: null },
  ]);
});
