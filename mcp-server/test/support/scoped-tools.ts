/** Owns the tools with scopes that the scope policy of tests knows. */
import type { Scoped } from '../../src/authorization/scope.ts';

interface ScopedTool {
  readonly name: string;
  readonly scopes: readonly string[];
}

export function scopedTools(tools: readonly ScopedTool[], more: Partial<Scoped> = {}): Scoped {
  return {
    declared: tools.flatMap(({ scopes }) => scopes),
    tool: (name) => tools.find((tool) => tool.name === name)?.scopes ?? [],
    prompt: () => [],
    resource: () => [],
    ...more,
  };
}
