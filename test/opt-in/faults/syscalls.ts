import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { amount, type Fault, type Trial } from './fault.ts';
import { newHook } from './support/hooks.ts';
import { isAccepted, requireRefusal } from './support/ledger.ts';
import { lacksStrace } from './support/machine.ts';
import { changesFiles, findPoints, type Point, pointName, STEADY } from './support/points.ts';
import { type Prepared, prepare } from './support/prepared.ts';
import { redeliver, requireAlive, requireRecovery } from './support/probes.ts';
import { isAlive } from './support/served.ts';
import type { Stage } from './support/stage.ts';
import { attach, threadsOf } from './support/strace.ts';
import { inLanes } from './support/wait.ts';

const DELIVERIES_BEFORE = 20;
/** What happens at a point, in strace's words. */
const KINDS = { kill: 'signal=KILL', ENOSPC: 'error=ENOSPC', EIO: 'error=EIO' } as const;
type Kind = keyof typeof KINDS;
/** Each mostly waits. */
const LANES = 3;
/** Calls by other threads shift the count by one now and then. */
const TRIES = 4;
/** By then a delivery was worked off, so that a point that was not passed will not be. */
const PASSED_MS = 3_000;

export const syscalls: Fault = {
  name: 'syscalls',
  claim:
    'kill -9, ENOSPC and EIO at each call by which one delivery changes files (log, db, WAL, task files)',
  lacks: lacksStrace,
  async run(trial) {
    const prepared = await prepare(trial, DELIVERIES_BEFORE);
    try {
      const points: Point[] = [];
      await prepared.onCopy(async (stage) => {
        points.push(...(await findPoints(withFiles(stage))));
      });
      const every = amount(trial, { full: 1, quick: 10, short: 20 });
      const chosen = points.filter((_, index) => index % every === 0);
      trial.note(`${points.length} calls, ${chosen.length} tried`);
      let missed = 0;
      const kinds = Object.keys(KINDS) as Kind[];
      const injections = chosen.flatMap((point) => kinds.map((kind) => ({ kind, point })));
      await inLanes(injections.length, LANES, async (index) => {
        const injection = injections[index];
        if (injection !== undefined && !(await tried(trial, prepared, injection))) missed += 1;
      });
      if (missed > 0) trial.note(`${missed} not passed again in ${TRIES} tries`);
    } finally {
      prepared.remove();
    }
  },
};

interface Injection {
  readonly kind: Kind;
  readonly point: Point;
}

/** One part of the trial; false when the call did not come again, so that nothing was tried. */
async function tried(trial: Trial, prepared: Prepared, injection: Injection): Promise<boolean> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const result: { passed: boolean; error?: unknown } = { passed: false };
    const act = async (stage: Stage) => {
      try {
        result.passed =
          injection.kind === 'kill' ? await killAt(stage, injection) : await failAt(stage, injection);
      } catch (error) {
        Object.assign(result, { passed: true, error });
      }
    };
    await prepared.onCopy((stage) => act(withFiles(stage)));
    if (!result.passed) continue;
    await trial.part(`${injection.kind} at ${pointName(injection.point)}`, () => {
      if (result.error !== undefined) throw result.error;
    });
    return true;
  }
  return false;
}

/** A stage on which each new delivery is one that comes to everything: a task, its files, a reaction. */
function withFiles(stage: Stage): Stage {
  const { ledger } = stage;
  return { ...stage, ledger: { ...ledger, send: (url, hook = newHook('files')) => ledger.send(url, hook) } };
}

async function killAt(stage: Stage, injection: Injection): Promise<boolean> {
  const { ledger } = stage;
  const served = await stage.serve({ env: STEADY });
  const tracer = await inject(stage, served.pid, injection);
  await ledger.send(served.url);
  const killed = await Promise.race([served.ended.then(() => true), delay(PASSED_MS, false)]);
  if (!killed) {
    await tracer.detach();
    return false;
  }
  await tracer.ended;
  await stage.auditAfresh({ first: (again) => redeliver(again, ledger) });
  return true;
}

async function failAt(stage: Stage, injection: Injection): Promise<boolean> {
  const { bed, ledger } = stage;
  const served = await stage.serve({ env: STEADY });
  const tracer = await inject(stage, served.pid, injection);
  const answer = await ledger.send(served.url);
  const injected = () => /^.*\(INJECTED\)$/m.exec(readFileSync(tracer.log, 'latin1'))?.[0] ?? null;
  const from = performance.now();
  while (injected() === null && performance.now() - from < PASSED_MS && isAlive(served)) await delay(20);
  await tracer.detach();
  const hit = injected();
  // Threads wake each other by writes, too; no disk is at fault there.
  if (hit === null || !changesFiles(hit, bed.root)) return false;
  if (answer === null) throw new Error(`no answer; the fault was ${hit}`);
  if (!isAccepted(answer)) requireRefusal(answer);
  await requireAlive(served);
  await requireRecovery(served, ledger);
  await redeliver(served, ledger);
  await stage.conclude(served);
  return true;
}

async function inject({ bed }: Stage, pid: number, { kind, point }: Injection) {
  const thread = threadsOf(pid).find(({ role }) => role === point.role);
  if (thread === undefined) throw new Error(`there is no thread ${point.role}`);
  const log = join(bed.root, 'trace');
  const inject = `inject=${point.call}:${KINDS[kind]}:when=${point.nth}`;
  const options = ['-y', '-e', `trace=${point.call}`, '-e', inject, '-o', log];
  return { ...(await attach({ thread: thread.id }, options)), log };
}
