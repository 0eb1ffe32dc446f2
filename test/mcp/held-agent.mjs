// An agent that works until it is told to end: a test speaks to hookctl with its token meanwhile.
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const {
  HOOKCTL_TASK_ID: task,
  HOOKCTL_RUN_ID: run,
  HOOKCTL_RUN_TOKEN: token,
  HOOKCTL_MCP_URL: url,
} = process.env;
writeFileSync(`run-${task}.json`, JSON.stringify({ task, run, token, url }));
while (!existsSync(`end-${task}`)) await delay(20);
console.log('The agent’s last words.');
