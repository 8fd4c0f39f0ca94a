/** Proves that the claim which the operator names is the only source of the organisations of a person. */
import { expect, it } from 'vitest';
import { readOrganisations } from '../../src/federation/claims/organisations.ts';
import type { Identity } from '../../src/federation/connector.ts';
import type { OpenConnector } from '../../src/federation/registry.ts';
import { checks } from '../contracts/connector.contract.ts';

const read = async (identity: Partial<Identity>): Promise<Identity | undefined> => {
  const whole = { issuer: 'https://idp.example', subject: '1', ...identity };
  const connector = { begin: async () => new URL('https://idp.example'), finish: async () => ({ identity: whole }) };
  const open: OpenConnector = {
    id: 'acme',
    title: 'Acme',
    callbackUrl: 'https://auth.example/callback/acme',
    connector,
  };
  const [wrapped] = readOrganisations([open], new Map([['acme', 'tenancy.orgs']]));
  return (await wrapped?.connector.finish(new URL('https://auth.example'), checks))?.identity;
};

it('organisations that the connector reports by itself do not count beside the claim that the operator named', async () => {
  const identity = await read({
    memberships: { org: ['home', 'org_1'] },
    organizations: [{ id: 'org_1', name: 'home' }],
    incomplete: { org: 'hidden', group: 'overage' },
    claims: { tenancy: { orgs: ['acme', 'globex', 'acme'] } },
  });
  expect(identity).toMatchObject({ memberships: { org: ['acme', 'globex'] }, organizations: undefined });
  expect(identity?.incomplete).toEqual({ group: 'overage' });
});

it.each([{ tenancy: { orgs: [{ id: 'rival' }] } }, { tenancy: ['rival'] }, { _claim_names: { tenancy: 'src1' } }])(
  'organisations that cannot be read are incomplete and not empty: %j',
  async (claims) => {
    expect((await read({ claims }))?.incomplete?.org).toContain('the claim tenancy.orgs');
  },
);
