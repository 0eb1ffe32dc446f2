/** What decides where a webhook answers. */
interface Named {
  readonly name: string;
  readonly endpoint?: string | undefined;
}

/** The path that a definition answers on: its own, or the one of its name. */
export function endpointOf({ name, endpoint }: Named): string {
  return endpoint ?? `/webhooks/${name}`;
}

/** Whether a project's own webhook replaces a built-in one: by its name or its endpoint. */
export function replaces(own: Named, builtIn: Named): boolean {
  return own.name === builtIn.name || endpointOf(own) === endpointOf(builtIn);
}
