import type { JsonObject, Sample, SampleContext } from '../../types.ts';

/** Interactions as Discord sends them, by one member of one server. */
export const samples: readonly Sample[] = [
  {
    type: 'application_command',
    build: (context) => {
      const option = { name: 'prompt', type: 3, value: spoken(context.text) };
      return interaction(2, context, { id: '1045', name: 'agent', type: 1, options: [option] });
    },
  },
  {
    type: 'message_component',
    build: (context) => interaction(3, context, { custom_id: 'retry', component_type: 2 }),
  },
  {
    type: 'modal_submit',
    build: (context) => interaction(5, context, { custom_id: 'form', components: [] }),
  },
  {
    type: 'ping',
    build: (context) => {
      const { id, application_id, token, version } = interaction(1, context, {});
      return { id, application_id, token, version, type: 1 };
    },
  },
];

/** The command itself stands for the prefix. */
function spoken(text: string | null): string {
  return (text ?? '').replace(/^@\w+\s+/, '');
}

function interaction(type: number, { nextNumber }: SampleContext, data: JsonObject) {
  const user = {
    id: '53908232506183680',
    username: 'ada',
    global_name: 'ada',
    discriminator: '0',
    avatar: null,
  };
  return {
    id: String(nextNumber()),
    application_id: '845027738276462632',
    type,
    data,
    guild_id: '290926798626357999',
    channel_id: String(nextNumber()),
    member: { user, roles: ['539082325061836999'], permissions: '2147483647' },
    token: `interaction-${nextNumber()}`,
    version: 1,
    locale: 'en-GB',
  };
}
