import { z } from 'zod';
import { problem } from './answers.ts';
import type { Operation } from './operation.ts';
import { operations } from './operations.ts';

/** What every request can be refused for; `problem` says more. */
const COMMON = {
  400: 'The request is not what the API takes',
  401: 'The token is missing or wrong',
  403: 'It came from a page of another origin, through a proxy, or with a token that does not open this',
  421: 'The Host header is not of this server',
  500: 'Something broke',
} as const;
const REFUSALS = {
  404: 'There is no such thing',
  409: 'It can not be done in the present state',
  422: 'The configuration that would result is not valid; `problems` lists each mistake',
} as const;
const OF_BODIES = {
  411: 'The body has no Content-Length',
  413: 'The body is too large',
  415: 'The body is no application/json',
} as const;

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * A schema for `io`. Only JSON values contain themselves, and programs that make clients cannot write such a type down: in the
 * document they are anything.
 */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const {
    $schema: _,
    $defs,
    ...whole
  } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    unrepresentable: 'any',
    reused: 'inline',
    io,
  });
  if ($defs === undefined) return whole;
  return JSON.parse(JSON.stringify(whole), (_key, value) => {
    if (typeof value?.$ref !== 'string') return value;
    const { $ref: _ref, ...rest } = value;
    return rest;
  });
}

/** The management API as an OpenAPI 3.1 document, from the schemas that validate it. */
export function openApiDocument(version: string): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of operations) {
    const path = `/api${operation.path.replaceAll(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [operation.method]: operationOf(operation) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'hookctl',
      version,
      summary: 'The management API of a hookctl server.',
      description:
        'On loopback alone. `hookctl token` prints the token. Refusals are problem details (RFC 9457).',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:8001' }],
    security: [{ token: [] }],
    tags: [...new Set(operations.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: schemaOf(problem, 'output') },
    },
  };
}

function tagOf({ path }: Operation): string {
  return path.split('/')[1]?.replace('.json', '') ?? '';
}

function operationOf(operation: Operation): JsonSchema {
  const { method, path, summary, body, example, query, answer, status = 200, errors = [] } = operation;
  const refused = {
    ...COMMON,
    ...Object.fromEntries(errors.map((error) => [error, REFUSALS[error]])),
    ...(body !== undefined && OF_BODIES),
  };
  const type = path === '/events' ? 'text/event-stream' : 'application/json';
  const operationId = `${method}${path.replaceAll(/[^A-Za-z]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
  return {
    operationId,
    summary,
    tags: [tagOf(operation)],
    parameters: [...pathParameters(path), ...(query === undefined ? [] : queryParameters(query))],
    ...(body !== undefined && {
      requestBody: {
        required: !z.safeParse(body, {}).success,
        content: {
          'application/json': {
            schema: schemaOf(body, 'input'),
            example: example ?? {},
          },
        },
      },
    }),
    responses: {
      [status]: {
        description: status === 204 ? 'Done' : summary,
        ...(answer !== null && {
          content: { [type]: { schema: schemaOf(answer, 'output') } },
        }),
      },
      ...Object.fromEntries(
        Object.entries(refused).map(([code, description]) => [
          code,
          {
            description,
            content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        ]),
      ),
    },
    'x-codeSamples': [{ lang: 'sh', source: sampleOf(operation) }],
  };
}

function sampleOf({ method, path, example, body }: Operation): string {
  const shown = `/api${path.replaceAll(/:(\w+)/g, '<$1>')}`;
  const data = body === undefined ? '' : ` --data '${JSON.stringify(example ?? {})}'`;
  return `hookctl api ${method.toUpperCase()} ${shown}${data}`;
}

function pathParameters(path: string): readonly JsonSchema[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }));
}

function queryParameters(query: z.ZodType): readonly JsonSchema[] {
  const { properties = {}, required = [] } = schemaOf(query, 'input') as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    ...{ name, in: 'query', required: required.includes(name) },
    // What a coercion takes is not in a schema of its input; it is a text in a query.
    schema: Object.keys(schema).length === 0 ? { type: 'string' } : schema,
  }));
}
