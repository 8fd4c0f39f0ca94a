/** Owns the differences between the answers of the sessionful revisions, 2024-11-05 to 2025-11-25, and those of 2026-07-28. */
import { INTERNAL_ERROR, RESOURCE_NOT_FOUND } from '@mcp-oauth/shared/json-rpc-codes';
import { type Call, type Method, type Methods, RpcError } from '../call.ts';
import { MissingCapability } from './questions/missing-capability.ts';
import { ResourceNotFound } from './resource-methods.ts';
import { failure } from './tool-methods.ts';
import { ConnectionNeeded, canOpenPages, pageNeeded } from './upstreams/connection-needed.ts';

export const forSessionRevisions = (methods: Methods): Methods =>
  new Map([...methods].map(([name, method]) => [name, withSessionErrors(name, method)]));

function withSessionErrors(name: string, method: Method): Method {
  const asSessionError = (error: unknown, { capabilities }: Call): unknown => {
    if (error instanceof ConnectionNeeded && canOpenPages(capabilities)) throw pageNeeded(error);
    if (error instanceof ResourceNotFound) throw new RpcError(RESOURCE_NOT_FOUND, error.message, error.data);
    if (!(error instanceof MissingCapability)) throw error;
    if (name === 'tools/call') return failure(error.message);
    throw new RpcError(INTERNAL_ERROR, error.message);
  };
  return (params, call) => {
    try {
      const result = method(params, call);
      return result instanceof Promise ? result.catch((error: unknown) => asSessionError(error, call)) : result;
    } catch (error) {
      return asSessionError(error, call);
    }
  };
}
