/**
 * Owns the table of methods that serves every revision of MCP from one catalog. An era brings the call; what the eras say
 * differently is put right in one place each.
 */
import type { Methods } from '../call.ts';
import { completionMethods } from './completion-method.ts';
import type { MethodsDependencies } from './dependencies.ts';
import { promptMethods } from './prompt-methods.ts';
import { resourceMethods } from './resource-methods.ts';
import { toolMethods } from './tool-methods.ts';

/**
 * As 2026-07-28 has it. A method may throw MissingCapability for what the client has not declared.
 */
export const createMethods = (dependencies: MethodsDependencies): Methods =>
  new Map([...toolMethods(dependencies), ...promptMethods(dependencies), ...resourceMethods(dependencies), ...completionMethods(dependencies)]);
