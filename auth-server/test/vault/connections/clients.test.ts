/** Proves for which clients an account counts as connected. */
import { describe, expect, it } from 'vitest';
import { connected, takenFrom } from '../../../src/vault/connections/changes.ts';
import { decide } from '../../../src/vault/connections/decision.ts';
import type { VaultRecord } from '../../../src/vault/record.ts';

const NOW = 1_000;
const finished = (subject?: string, scopes = ['repo']) => ({
  session: { accessToken: 'token' },
  scopes,
  ...(subject !== undefined && { identity: { issuer: 'https://github.example', subject } }),
});

/** The record after these accounts were connected for these clients, one after the other. */
const after = (...steps: readonly (readonly [account: string | undefined, client?: string])[]) =>
  steps.reduce<VaultRecord | undefined>(
    (record, [account, client]) => connected(finished(account), NOW, client)(record),
    undefined,
  );

describe('the clients of a connection', () => {
  it('a client is added to those of the same account, once, and the newest is last', () => {
    expect(after(['1', 'a'], ['1', 'b'], ['1', 'a'])?.connection?.clients).toEqual(['b', 'a']);
    expect(after(['1', 'a'], ['1'])?.connection?.clients).toEqual(['a']);
  });

  it('another account is connected for its client alone', () => {
    expect(after(['1', 'a'], ['2', 'b'])?.connection?.clients).toEqual(['b']);
    expect(after(['1', 'a'], [undefined, 'b'])?.connection?.clients).toEqual(['b']);
    expect(after([undefined, 'a'], [undefined, 'b'])?.connection?.clients, 'nobody knows whose').toEqual(['b']);
  });

  it('an account with further scopes is connected for its client alone, and with the same or fewer ones for those of before too', () => {
    const record = after(['1', 'a']);
    const clients = (...scopes: string[]) => connected(finished('1', scopes), NOW, 'b')(record)?.connection?.clients;
    expect([clients('repo', 'gist'), clients('repo'), clients()]).toEqual([['b'], ['a', 'b'], ['a', 'b']]);
  });

  it('a client whose approval has ended loses the account, and the others keep it', () => {
    const record = after(['1', 'a'], ['1', 'b']);
    expect(takenFrom('a')(record)?.connection).toEqual({ ...record?.connection, clients: ['b'] });
    expect(takenFrom('c')(record)).toBeUndefined();
    expect(takenFrom('a')(undefined)).toBeUndefined();
  });

  it('a hundred clients are kept, and the oldest is asked for again', () => {
    const all = Array.from({ length: 101 }, (_, n) => ['1', `client-${n}`] as const);
    const { connection } = after(...all) ?? {};
    expect(connection?.clients).toHaveLength(100);
    const request = { scopes: ['repo'], client: 'client-0' };
    expect(decide(connection, request, NOW)).toEqual({ kind: 'need', need: { needs: 'approval' } });
    expect(decide(connection, { ...request, client: 'client-100' }, NOW).kind).toBe('ready');
    expect(decide(connection, { scopes: ['repo'] }, NOW).kind).toBe('ready');
  });
});
