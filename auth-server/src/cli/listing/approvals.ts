/** Owns how a sentence of a command counts approvals. */

export const approvals = (count: number): string => `${count} ${count === 1 ? 'approval' : 'approvals'}`;
