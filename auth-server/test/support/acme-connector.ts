/** Owns the upstream of tests that need any: it sends the person away and accepts every callback. */
import type { OpenConnector } from '../../src/federation/registry.ts';

/** The `code` of the callback is the person's subject. */
export const acmeConnector = (issuer: string): OpenConnector => ({
  id: 'acme',
  title: 'Acme',
  callbackUrl: `${issuer}/callback/acme`,
  connector: {
    begin: async ({ state }) => new URL(`https://acme.example/authorize?state=${state}`),
    finish: async (answer) => {
      const subject = answer.searchParams.get('code') ?? '';
      return { identity: { issuer: 'https://acme.example', subject, email: `${subject}@acme.example` } };
    },
  },
});

/** A network in which no server answers. */
export const unreachable: typeof fetch = async () => {
  throw new TypeError('fetch failed');
};
