/** Owns what an error answer of Redis says about the node that gave it: that it is the wrong one, or that it takes no writes now. */

export interface Refusal {
  /** First word of the error, such as READONLY. */
  readonly code: string;
  /** Another node has taken its place: the address has to be connected to again. Else the same node takes writes again later. */
  readonly isWrongNode: boolean;
}

/** A replica: it was demoted while the connection stayed open, or the address leads to it. */
const WRONG_NODE = ['READONLY', 'UNBLOCKED', 'MASTERDOWN'];

const NO_WRITES = ['LOADING', 'NOREPLICAS', 'CLUSTERDOWN', 'OOM', 'MISCONF', 'BUSY'];

/**
 * Where the code stands: first, after the reason for which a transaction was discarded, or, up to Redis 6, behind the place in the
 * script that failed. What a caller wrote may stand elsewhere in an error.
 */
const CODE = new RegExp(
  `^(?:EXECABORT Transaction discarded because of: |ERR Error running script .*?: -)?(${[...WRONG_NODE, ...NO_WRITES].join('|')})\\b`,
);

/** `undefined` for an error that says nothing about the node. In each case the command was not carried out. */
export function refusalOf(error: unknown): Refusal | undefined {
  const [, code] = (error instanceof Error && CODE.exec(error.message)) || [];
  return code ? { code, isWrongNode: WRONG_NODE.includes(code) } : undefined;
}
