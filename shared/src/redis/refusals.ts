/** Owns the meaning of error answers of Redis about a node: it is not the primary, or it accepts no writes now. */

export interface RedisRefusal {
  /** First word of the error, such as READONLY. */
  readonly code: string;
  /** Another node is the primary: reconnect. Otherwise the same node accepts writes again later. */
  readonly isWrongNode: boolean;
}

/** Codes of a replica: it was demoted while the connection stayed open, or the address points at a replica. */
const WRONG_NODE = ['READONLY', 'UNBLOCKED', 'MASTERDOWN'];

const NO_WRITES = ['LOADING', 'NOREPLICAS', 'CLUSTERDOWN', 'OOM', 'MISCONF', 'BUSY'];

/**
 * The positions of the code: first, after the reason for a discarded transaction, or, up to Redis 6, after the position in the failed
 * script. Elsewhere an error may contain text of the caller.
 */
const CODE = new RegExp(
  `^(?:EXECABORT Transaction discarded because of: |ERR Error running script .*?: -)?(${[...WRONG_NODE, ...NO_WRITES].join('|')})\\b`,
);

/** `undefined` for an error that says nothing about the node. With a result, the command was not executed. */
export function refusalOf(error: unknown): RedisRefusal | undefined {
  const [, code] = (error instanceof Error && CODE.exec(error.message)) || [];
  return code ? { code, isWrongNode: WRONG_NODE.includes(code) } : undefined;
}
