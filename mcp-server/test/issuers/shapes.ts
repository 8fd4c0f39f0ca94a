/** Owns the list of documented tokens, by preset and variant. */
import { accounts } from './shapes/accounts.ts';
import { directories } from './shapes/directories.ts';
import { own } from './shapes/own.ts';
import type { Shapes } from './shapes/shape.ts';
import { workloads } from './shapes/workloads.ts';

export const SHAPES: Shapes = { ...directories, ...accounts, ...own, ...workloads };
