/**
 * Owns the table of methods that serves every revision of MCP from one catalog. Each era supplies the call, and has
 * one place that adapts results and errors to its revisions.
 */
import type { Methods } from '../call.ts';
import { completionMethods } from './completion-method.ts';
import type { MethodsDependencies } from './dependencies.ts';
import { promptMethods } from './prompt-methods.ts';
import { resourceMethods } from './resource-methods.ts';
import { toolMethods } from './tool-methods.ts';

/**
 * Methods behave as in 2026-07-28. A method may throw MissingCapability for a capability that the client has not
 * declared.
 */
export const createMethods = (dependencies: MethodsDependencies): Methods =>
  new Map([
    ...toolMethods(dependencies),
    ...promptMethods(dependencies),
    ...resourceMethods(dependencies),
    ...completionMethods(dependencies),
  ]);
