/** Owns the proof that sessions belong to one owner, are bounded in number and end (MCP security best practices). */

import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../src/authorization/principal.ts';
import { type Conversation, createSessionHost } from '../../src/sessions/session-host.ts';

const ada: Principal = { issuer: 'i', subject: 'ada', clientId: 'c', scopes: new Set(), expiresAt: 2_000_000_000 };

class Idle implements Conversation {
  readonly kind = 'streamable-http';
  busy = false;
  closed = false;
  tick(): void {}
  endStreams(): void {}
  drain(): void {}
  async close(): Promise<void> {
    this.closed = true;
  }
}

const limits = { idleTimeout: 60, maxSessions: 3, maxSessionsPerPrincipal: 2 };

function setUp() {
  const clock = new FakeClock();
  return { clock, host: createSessionHost<Idle>(limits, clock) };
}

async function open(host: ReturnType<typeof setUp>['host'], principal = ada) {
  const live = await host.open(principal, new Idle());
  if (typeof live === 'string') throw new Error(live);
  return live;
}

describe('session host', () => {
  it.each([
    ['issuer', { issuer: 'other' }],
    ['subject', { subject: 'bob' }],
    ['client', { clientId: 'other' }],
  ])('is foreign to another %s', async (_, other) => {
    const { host } = setUp();
    const { session } = await open(host);
    expect(await host.find(session.id, { ...ada, ...other })).toBe('foreign');
    expect(await host.find(session.id, { ...ada, scopes: new Set(['x']) })).toMatchObject({
      session: { id: session.id },
    });
  });

  it('keeps a record that survives being written down', async () => {
    const { host } = setUp();
    const { session } = await open(host);
    expect(JSON.parse(JSON.stringify(session))).toEqual(session);
  });

  it('remembers the latest end of all tokens shown', async () => {
    const { host } = setUp();
    const { session } = await open(host);
    await host.find(session.id, { ...ada, expiresAt: ada.expiresAt + 10 });
    expect(await host.find(session.id, ada)).toMatchObject({ session: { tokenExpiresAt: ada.expiresAt + 10 } });
  });

  it('counts the sessions of a person over all their clients, even when they come at once', async () => {
    const { host } = setUp();
    const busy = () => Object.assign(new Idle(), { busy: true });
    const clients = ['a', 'b', 'c', 'd'].map((clientId) => ({ ...ada, clientId }));
    const opened = await Promise.all(clients.map((client) => host.open(client, busy())));
    expect(opened.filter((live) => live === 'principal')).toHaveLength(2);
    expect(host.size).toBe(2);
  });

  it('closes what it ends, and forgets it', async () => {
    const { host, clock } = setUp();
    const { session, conversation } = await open(host);
    clock.advance(59);
    host.tick();
    expect(conversation.closed).toBe(false);
    clock.advance(1);
    host.tick();
    expect([conversation.closed, host.size]).toEqual([true, 0]);
    expect(await host.find(session.id, ada)).toBe('unknown');
    await host.end(session.id);
  });

  it('counts the idle time from the end of what was running', async () => {
    const { host, clock } = setUp();
    const { conversation } = await open(host);
    conversation.busy = true;
    clock.advance(600);
    host.tick();
    conversation.busy = false;
    clock.advance(59);
    host.tick();
    expect(host.size).toBe(1);
  });
});
