/** Owns a load balancer in a test: one address in front of many, the next one for every request, whoever asks. */
import type { TestServer } from '@mcp-oauth/shared/testing/listen';
import { gateway } from './gateway.ts';

/** @param ports where the replicas listen; may be filled after the balancer is up, as they need its address */
export const roundRobin = (ports: readonly number[]): Promise<TestServer> => {
  let turn = 0;
  return gateway(() => {
    const port = ports[turn % ports.length];
    turn += 1;
    return port;
  });
};
