/** Proves that the claim which the operator names is the only source of the organisations of a person. */
import { expect, it } from 'vitest';
import { readOrganisations } from '../../src/federation/claims/organisations.ts';
import type { OpenConnector } from '../../src/federation/registry.ts';
import { checks } from '../contracts/connector.contract.ts';

it('organisations that the connector reports by itself do not count beside the claim that the operator named', async () => {
  const identity = {
    issuer: 'https://idp.example',
    subject: '1',
    memberships: { org: ['home', 'org_1'] },
    organizations: [{ id: 'org_1', name: 'home' }],
    claims: { orgs: ['acme', 'globex', 'acme'] },
  };
  const connector = { begin: async () => new URL('https://idp.example'), finish: async () => ({ identity }) };
  const open: OpenConnector = {
    id: 'acme',
    title: 'Acme',
    callbackUrl: 'https://auth.example/callback/acme',
    connector,
  };
  const [read] = readOrganisations([open], new Map([['acme', 'orgs']]));
  const signIn = await read?.connector.finish(new URL('https://auth.example'), checks);
  expect(signIn?.identity).toMatchObject({ memberships: { org: ['acme', 'globex'] }, organizations: undefined });
});
