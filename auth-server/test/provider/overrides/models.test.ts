/** Proves that tokens, codes and grants are the same objects, records and events as those of the engine without the override. */
import Provider from 'oidc-provider';
import { describe, expect, it } from 'vitest';
import { shortenModels } from '../../../src/provider/overrides/token/models.ts';

type Instance = { getValueAndPayload(): Promise<unknown>; emit(event: string): void };
type Model = new (input?: object) => Instance;

const create = () => new Provider('https://as.example', { clients: [], features: { deviceFlow: { enabled: true } } });
const engine = create();
const shortened = create();
shortenModels(shortened);

const modelOf = (provider: Provider, name: string) => Reflect.get(provider, name) as Model;

const input = {
  jti: 'id',
  iat: 1_000,
  exp: 2_000,
  clientId: 'client',
  accountId: 'person',
  grantId: 'grant',
  scope: 'a b',
  resources: { 'https://rs.example': 'a b' },
  consumed: 1_500,
  left: undefined,
  nonce: undefined,
  unknown: 'is not stored',
};

describe.each(['AuthorizationCode', 'RefreshToken', 'Grant', 'DeviceCode'])('the model %s of the engine', (name) => {
  const [Own, Its] = [modelOf(shortened, name), modelOf(engine, name)];

  it(`${name} has the members of the record, and none that is unknown`, () => {
    const own = new Own({ ...input, kind: name });
    expect({ ...own }).toEqual({ ...new Its({ ...input, kind: name }) });
    expect(own).not.toHaveProperty('unknown');
  });

  it(`${name} is stored as before, in the same order`, async () => {
    const [own, its] = await Promise.all([new Own(input), new Its(input)].map((model) => model.getValueAndPayload()));
    expect(JSON.stringify(own)).toBe(JSON.stringify(its));
  });

  it(`${name} refuses the record of another model`, () => {
    expect(() => new Own({ ...input, kind: 'Other' })).toThrow('kind mismatch');
  });

  it(`${name} tells the same events`, () => {
    const [own, its] = [shortened, engine].map((provider) => {
      const events: unknown[] = [];
      provider.emit = ((event: string) => events.push(event) > 0) as never;
      new (modelOf(provider, name))(input).emit('saved');
      return events;
    });
    expect(own).toEqual(its);
    expect(own).toHaveLength(1);
  });
});
