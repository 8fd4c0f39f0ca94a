/**
 * Owns a round-robin load balancer in a test: one address in front of many replicas, the next one for every request.
 */
import type { TestServer } from '@mcp-oauth/shared/testing/listen';
import { gateway } from './gateway.ts';

/** @param ports of the replicas; may be filled after the balancer has started, as the replicas need its address */
export const roundRobin = (ports: readonly number[]): Promise<TestServer> => {
  let turn = 0;
  return gateway(() => {
    const port = ports[turn % ports.length];
    turn += 1;
    return port;
  });
};
