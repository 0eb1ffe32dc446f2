/**
 * The vocabulary of hookctl. Each word means one thing, everywhere: code, CLI, API, files.
 *
 * - **provider**: who sends (github, jira, …): how its requests are signed, what they say, how to answer.
 * - **webhook**: one configured endpoint: provider, secrets, sender rule, commands. *Static* ones are TypeScript,
 *   *dynamic* ones live in the JSON db. Names are unique over both.
 * - **command**: a rule of a webhook. A *text command* is found behind the prefix in what a person wrote; a
 *   *trigger command* fires on an event type and conditions.
 * - **action**: what a command does (`create_task`, …).
 * - **delivery**: one request received by a webhook: raw bytes, headers, verdict, events, and what became of it.
 * - **event**: what a delivery says, in common terms. A delivery has one, or several (alert envelopes).
 * - **task**: a unit of agent work. **flow**: everything around one external id. **conversation**: the tasks that
 *   share an agent's context inside a flow.
 * - **owner**: whose a webhook is, and with it all that its deliveries make.
 * - **agent**: who works on a task, by name. A *runner* starts it, a **run** is one attempt of it at a task.
 * - **retry**: the same record again. **replay**: stored bytes as a *new* delivery.
 * - **ack**: the HTTP answer to the sender. **tunnel**: a public URL that leads to the ingress socket only.
 *
 * The CLI also has commands: those are `CliCommand` and live under `cli/` alone.
 */

export * from './types/agent.ts';
export * from './types/audit.ts';
export * from './types/connection.ts';
export * from './types/delivery.ts';
export * from './types/event.ts';
export * from './types/provider.ts';
export * from './types/receive.ts';
export * from './types/reply.ts';
export * from './types/request.ts';
export * from './types/task.ts';
export * from './types/task-check.ts';
export * from './types/text.ts';
export * from './types/webhook.ts';
