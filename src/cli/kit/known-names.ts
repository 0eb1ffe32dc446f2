import type { Services } from '../../services.ts';
import { served } from './operate.ts';

/** Sources of the names of webhooks: those that received something, then those that are configured. */
export function webhookNames(
  app: Services,
): readonly (() => readonly string[] | Promise<readonly string[]>)[] {
  return [
    () => (app.reader()?.countsByWebhook() ?? []).map(({ webhook }) => webhook),
    async () => {
      const status = await served(app).catch(() => null);
      if (status !== null) return status.webhooks.map(({ name }) => name);
      return (await app.configuration()).snapshot.webhooks.map(({ name }) => name);
    },
  ];
}

/** Sources of the names of agents: those that have tasks, then those that are configured. */
export function agentNames(app: Services): readonly (() => readonly string[] | Promise<readonly string[]>)[] {
  return [
    () => app.reader()?.agentNames() ?? [],
    async () => {
      const { project, snapshot } = await app.configuration();
      const named = snapshot.webhooks.flatMap(({ targetAgent, commands }) => [
        targetAgent,
        ...commands.map((command) => command.targetAgent),
      ]);
      return [...Object.keys(project.agents), ...named];
    },
  ];
}
