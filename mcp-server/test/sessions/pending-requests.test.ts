/** Proves that a replica records a pending request before its client is told that the request was accepted. */
import { describe, expect, it } from 'vitest';
import { PendingRequests } from '../../src/sessions/pending-requests.ts';
import { StorageUnavailable } from '../../src/sessions/ports.ts';

describe('MCP 2024-11-05 "HTTP with SSE": accepting a request', () => {
  it('a request id is recorded before the request is accepted, so that another replica can answer it after a crash', async () => {
    const noted: string[] = [];
    const storing = Promise.withResolvers<void>();
    const pendingRequests = new PendingRequests(
      { notePending: (_name, replica, ids) => storing.promise.then(() => void noted.push(`${replica} ${ids}`)) },
      'a',
    );
    let isBegun = false;
    const begun = pendingRequests.begin('session', [1, 'two']).then(() => {
      isBegun = true;
    });
    await Promise.resolve();
    expect(isBegun).toBe(false);
    storing.resolve();
    await begun;
    expect(noted).toEqual(['a [1,"two"]']);
  });

  it('a request is accepted although the store is away', async () => {
    const away = { notePending: () => Promise.reject(new StorageUnavailable('away')) };
    await expect(new PendingRequests(away, 'a').begin('session', [1])).resolves.toBeUndefined();
  });
});
