/** Owns `login` and `logout`: how a sign-in at a server is kept, and how it ends. */
import { UsageError } from '@mcp-oauth/shared/cli/command';
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import { authorizeByEnterprise } from '../enterprise/authorize.ts';
import { placeOf } from '../enterprise/identity-provider.ts';
import { authorize } from '../sign-in/authorize.ts';
import { type Grant, secretsOf } from '../sign-in/grant.ts';
import { revoke } from '../sign-in/renew.ts';
import type { TokenFile } from '../tokens/token-file.ts';
import type { Run } from './run.ts';

export async function login({ url, login: wish, file, access, screen }: Run): Promise<number> {
  const { say, draw, hide } = screen;
  const problem = plainHttpOutside(url.href);
  if (problem) throw new UsageError(`<url> ${problem}: others could read the token`);
  const last = await file.read();
  if (last) hide(secretsOf(last));
  const whole = { ...wish, name: 'mcp-oauth-client', last, say, draw, hide };
  const enterprise = wish.enterprise ?? (wish.machine ? undefined : last?.enterprise && {});
  const grant = enterprise
    ? await authorizeByEnterprise(url, whole, enterprise, access)
    : await authorize(url, whole, access);
  hide(secretsOf(grant));
  await file.update(async () => grant);
  const { scope } = grant.tokens;
  const idp = grant.enterprise?.issuer;
  const seen = { issuer: grant.issuer, ...(idp && { idp }), ...(scope !== undefined && { scope }), file: file.path };
  const by = idp === undefined ? grant.issuer : `${grant.issuer}, because ${idp} vouches for you`;
  screen.result(
    `Signed in by ${by}${scope === undefined ? '' : `, for ${scope}`}.\nThe tokens are in ${file.path}`,
    seen,
  );
  return 0;
}

export async function logout({ url, login: { enterprise }, file, access, screen }: Run): Promise<number> {
  const grant = await file.read();
  const revoked = await end(url, file, access);
  const kept = 'Signed out here. The authorization server did not revoke the tokens: they end by themselves.';
  const said = revoked === undefined ? 'Nobody is signed in.' : revoked ? 'Signed out: the tokens are revoked.' : kept;
  const signIn = grant?.enterprise;
  if (!signIn) {
    screen.result(said, { revoked: revoked ?? false });
    return 0;
  }
  const ended = enterprise && (await end(new URL(signIn.issuer), access.fileAt(placeOf(signIn)), access));
  screen.result(`${said}\n${aboutIdentityProvider(signIn.issuer, ended)}`, { revoked, ...(enterprise && { ended }) });
  return 0;
}

const aboutIdentityProvider = (issuer: string, ended: boolean | undefined): string =>
  ended === undefined
    ? `The sign-in at ${issuer} stays: logout --enterprise ends it.`
    : ended
      ? `The sign-in at ${issuer} is over too.`
      : `The sign-in at ${issuer} is deleted here. It did not revoke the tokens: they end by themselves.`;

/** @returns whether the tokens were revoked where they come from; undefined if there were none */
async function end(at: URL, file: TokenFile, { fetch, secret }: Run['access']): Promise<boolean | undefined> {
  if (!(await file.read())) return undefined;
  let revoked: boolean | undefined;
  await file.update(async (grant: Grant | undefined) => {
    revoked = grant && (await revoke(at, grant, fetch, secret));
    return undefined;
  });
  return revoked;
}
