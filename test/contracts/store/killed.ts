/** A program for the kill test: accepts deliveries, settles them and changes their tasks, and prints what was answered. */
import { writeSync } from 'node:fs';
import { NOW, newDelivery, outcome, taskInFlow } from '../../store/records.ts';
import { IMPLEMENTATIONS } from './implementations.ts';

const [name, address] = process.argv.slice(2);
const store = await IMPLEMENTATIONS.find((each) => each.name === name)
  ?.home(address)
  .open();
if (store === undefined) throw new Error(`there is no store named ${name}`);
const say = (what: string, number: number) => void writeSync(1, `${what} ${number}\n`);

for (let number = 0; ; number += 1) {
  await store.accept(newDelivery(`dlv-${number}`));
  say('accepted', number);
  await store.recordOutcome(outcome(`dlv-${number}`, { tasks: [taskInFlow(`task-${number}`)] }));
  say('settled', number);
  await store.changeTask({
    ...{ taskId: `task-${number}`, event: 'complete', from: 'queued', to: 'completed', isEnd: true },
    ...{ actor: 'ada', reason: null, result: 'changed', error: null, reply: null, at: NOW },
    spent: { costUsd: null, inputTokens: null, outputTokens: null },
  });
  say('changed', number);
}
