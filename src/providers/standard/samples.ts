import type { JsonObject, Sample, SampleContext } from '../../types.ts';

/** Messages in the form that the specification recommends: `type`, `timestamp`, `data`. */
export const samples: readonly Sample[] = [
  {
    type: 'contact.created',
    build: (context) =>
      message('contact.created', context, {
        id: `contact_${context.nextNumber()}`,
        first_name: 'Ada',
        last_name: 'Lovelace',
      }),
  },
  {
    type: 'invoice.paid',
    build: (context) =>
      message('invoice.paid', context, { id: `invoice_${context.nextNumber()}`, amount: '19.99' }),
  },
];

function message(type: string, { now }: SampleContext, data: JsonObject): JsonObject {
  return { type, timestamp: now.toISOString(), data };
}
