import type { JsonObject, Sample, SampleContext } from '../../types.ts';

/** Resources as Shopify sends them, cut to the fields that are read. */
export const samples: readonly Sample[] = [
  { type: 'orders/create', build: order },
  { type: 'orders/cancelled', build: (context) => ({ ...order(context), cancel_reason: 'customer' }) },
  {
    type: 'products/update',
    build: (context) => ({ ...resource('Product', context), title: 'Keyboard', status: 'active' }),
  },
  {
    type: 'app/uninstalled',
    build: (context) => ({ ...resource('Shop', context), name: 'Acme', domain: 'acme.example.com' }),
  },
];

function order(context: SampleContext): JsonObject {
  const number = context.nextNumber() % 10_000;
  return {
    ...resource('Order', context),
    name: `#${number}`,
    order_number: number,
    currency: 'EUR',
    total_price: '79.90',
    financial_status: 'paid',
    order_status_url: `https://acme.example.com/orders/${number}`,
    line_items: [{ title: 'Keyboard', quantity: 1, price: '79.90' }],
  };
}

function resource(kind: string, { now, nextNumber }: SampleContext): JsonObject {
  const id = nextNumber();
  return { id, admin_graphql_api_id: `gid://shopify/${kind}/${id}`, updated_at: now.toISOString() };
}
