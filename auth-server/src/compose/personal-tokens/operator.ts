/** Owns the personal tokens of a command: it makes tokens of services, lists and ends all, and asks about nobody. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { createOutgoingFetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { passThrough } from '../../access/gate.ts';
import type { Config } from '../../config.ts';
import { namesOf } from '../../federation/person-names.ts';
import { openCookieKeys } from '../../keys/key-store.ts';
import type { PersonalTokens } from '../../personal-tokens/personal-tokens.ts';
import { type Owner, subjectOf } from '../../personal-tokens/token.ts';
import type { StatusStore } from '../../revocation/status-store.ts';
import { composeAccounts } from '../accounts.ts';
import type { Dependencies } from '../dependencies.ts';
import { composeResources } from '../resources.ts';
import { composePersonalTokens } from './server.ts';

export interface OperatorTokens {
  readonly tokens: PersonalTokens;
  /** A person by name and address, as far as they are known. */
  readonly labelOf: (owner: Owner) => Promise<string>;
}

interface OpenedForOperator extends Pick<Dependencies, 'store' | 'clock'> {
  readonly config: Config;
  readonly statusStore: StatusStore;
}

export async function composeForOperator({ config, ...opened }: OpenedForOperator): Promise<OperatorTokens> {
  const log = createLogger('auth-server', 'silent');
  const accounts = composeAccounts(config, opened);
  const { tokens } = await composePersonalTokens(config, {
    ...opened,
    log,
    audit: () => {},
    accounts,
    cookies: await openCookieKeys(opened.store, opened.clock),
    resources: composeResources(config, { clock: opened.clock, log, fetch: createOutgoingFetch(config) }),
    access: { permitted: () => [] },
    passThrough: passThrough([]),
  });
  const labelOf = async (owner: Owner): Promise<string> => {
    const { identity } = (owner.kind === 'person' && (await accounts.find(owner.accountId))) || {};
    const { name, address } = namesOf(identity);
    const said = [name, address && `<${address}>`].filter(Boolean);
    return said.length > 0 ? said.join(' ') : subjectOf(owner);
  };
  return { tokens, labelOf };
}
