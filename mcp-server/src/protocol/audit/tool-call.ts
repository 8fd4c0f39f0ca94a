/** Owns what the audit says of a tool call: outcome, duration and sizes, and only those arguments that the tool names. */
import type { Call } from '../call.ts';
import type { ToolEntry } from '../catalog/tool-entry.ts';
import type { ToolOutcome } from '../methods/dependencies.ts';
import { sizeOf } from './size.ts';

/** A call of a tool, from its arguments to its end. */
export interface ToolCall {
  readonly tool: Pick<ToolEntry, 'key' | 'audit'>;
  readonly call: Call;
  readonly given: Readonly<Record<string, unknown>>;
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number;
}

/** `asked`: its tool ran up to a question, which ended the request, or which this client cannot answer. */
type Audited = ToolOutcome | 'asked';

const OUTCOMES = {
  ok: 'ok',
  asked: 'ok',
  invalid_arguments: 'refused',
  failed: 'failed',
  fault: 'failed',
  cancelled: 'failed',
} as const satisfies Record<Audited, string>;

/** @param result absent: there is none, as the tool has thrown */
export function auditToolCall({ tool, call, given, startedAt }: ToolCall, outcome: Audited, result?: object): void {
  const { audit } = call;
  if (!audit) return;
  const ms = Math.round((performance.now() - startedAt) * 10) / 10;
  const sizes = { argumentsSize: sizeOf(given), resultSize: result && sizeOf(result) };
  audit({
    event: 'tool.called',
    outcome: OUTCOMES[outcome],
    reason: outcome === 'ok' ? undefined : outcome,
    details: { tool: tool.key, ms, ...sizes, ...(tool.audit.length > 0 && shownOf(given, tool.audit)) },
  });
}

/** The arguments that the author of the tool has named. */
const shownOf = (given: ToolCall['given'], names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => (given[name] === undefined ? [] : [[`arguments.${name}`, textOf(given[name])]])),
  );

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
