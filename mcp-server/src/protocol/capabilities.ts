/**
 * Owns the capabilities that this server declares, the same in every revision (MCP lifecycle; MCP 2026-07-28
 * server/discover).
 */

export const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
} as const;
