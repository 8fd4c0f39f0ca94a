/**
 * Owns what each reason of a refused token means and how it is mended, at the issuer and here: for the log, and for
 * docs/token-refusals.md, which is generated from this table.
 */
import { issuerSettings } from '../issuer/settings.ts';
import type { TokenReason } from '../token-error.ts';
import type { TokenRules } from './rules.ts';

export interface Mend {
  readonly meaning: string;
  /** What to change at the issuer or in the client; empty if nothing there helps. */
  readonly there: string;
  /** What to change here; empty if nothing here helps. */
  readonly here: string;
  /** Whether it comes from the set-up, so that the log repeats the mend: other reasons occur in good health, or come from strangers. */
  readonly ofSetUp?: true;
}

export const REFUSALS: Readonly<Record<TokenReason, Mend>> = {
  malformed: {
    meaning: 'It is no signed JWT: an opaque token, or one that was cut off or changed.',
    there:
      'Have the issuer write access tokens for this server as JWTs, not as opaque or encrypted ones. Auth0: switch its Resource Parameter ' +
      'Compatibility Profile on. Google: put auth-server in front.',
    here: 'If the tokens of the issuer are opaque, have it asked about them: `INTROSPECTION`.',
  },
  algorithm: {
    meaning: 'It is signed by an algorithm that is not accepted, or by a secret instead of a key.',
    there: 'Choose an asymmetric algorithm for access tokens, such as RS256 or ES256. authentik: choose a signing key.',
    here: 'Add the algorithm to `TOKEN_ALGORITHMS`.',
    ofSetUp: true,
  },
  wrong_type: {
    meaning: 'Its header `typ` is of another kind of token: the client may send an ID token.',
    there: 'Have the client send the access token, and the issuer write `at+jwt` (RFC 9068).',
    here: 'Name the product by `ISSUER_PRESET`, or add the type to `TOKEN_TYPES` if these are access tokens.',
    ofSetUp: true,
  },
  unknown_key: {
    meaning: 'No key of the issuer has its key id, also after the keys were read again.',
    there: 'Publish the key. Okta: use a custom authorization server; others cannot check tokens of the org server.',
    here: 'Correct `JWKS_URL`, if it is set.',
    ofSetUp: true,
  },
  bad_signature: {
    meaning:
      'No key of its issuer fits its signature: it is forged, changed, or from another issuer with the same name.',
    there: 'Check that the public keys are those by which the issuer signs.',
    here: 'Correct `JWKS_URL`, if it is set.',
  },
  wrong_issuer: {
    meaning: 'Its `iss` is not one of the configured issuers, character by character, slashes included.',
    there: 'Entra ID: set `requestedAccessTokenVersion` to 2 for tokens of `…/v2.0`.',
    here: 'Set `ISSUER` to the `iss` of the token, or name a further issuer in `ISSUERS`.',
    ofSetUp: true,
  },
  wrong_audience: {
    meaning: 'It is for another server.',
    there:
      'Have the issuer put the URL of this server into `aud`: an audience mapper, an API identifier, or the `resource` of the client.',
    here: 'Name in `AUDIENCES` what the issuer writes for this server alone, such as an application id.',
    ofSetUp: true,
  },
  no_audience: {
    meaning: 'It does not say for which server it is, so it may be for another one.',
    there:
      'Have the issuer write `aud`. Keycloak: add an audience mapper. Cognito: the client has to send `resource` to the managed login ' +
      '(plan Essentials or Plus).',
    here: 'If the issuer cannot do it, name in `AUDIENCE_CLAIM` the claim that stands for the audience, such as the clients of this server.',
    ofSetUp: true,
  },
  expired: {
    meaning: 'It has expired. Clients get another one by themselves.',
    there: 'If it happens at once: correct the clock of the issuer.',
    here: 'Correct the clock of this machine, or raise `CLOCK_TOLERANCE`.',
  },
  not_yet_valid: {
    meaning: 'It is from the future: the clocks differ.',
    there: 'Correct the clock of the issuer.',
    here: 'Correct the clock of this machine, or raise `CLOCK_TOLERANCE`.',
    ofSetUp: true,
  },
  missing_claim: {
    meaning: 'A claim that decides something is missing or has no usable value: subject, client or expiry.',
    there:
      'Have the issuer write the claim, and times in seconds. Keycloak: the client needs the client scope `basic` for `sub`.',
    here: 'Name the claim that this issuer writes in `TOKEN_SUBJECT_CLAIMS` or `TOKEN_CLIENT_CLAIMS`; `none` if it names no client.',
    ofSetUp: true,
  },
  wrong_claim: {
    meaning: 'A claim has another value than is required: the token is of another organisation, or of another kind.',
    there: 'Nothing, if the organisation is not yours. Have the client send the access token, not the ID token.',
    here: 'Add the value to `TOKEN_REQUIRED_CLAIMS`, if it is yours.',
    ofSetUp: true,
  },
  not_an_access_token: {
    meaning: 'A claim shows that it is an ID token or an event token, which is not for a server.',
    there: 'Have the client send the access token.',
    here: '',
    ofSetUp: true,
  },
  sender_constrained: {
    meaning:
      'It is bound to a key: it came without a proof of the key, or is bound in a way that is not known here (mTLS).',
    there: 'Have the client send a DPoP proof, or the issuer not bind the token to a certificate.',
    here: '',
  },
  not_bound: {
    meaning: 'It came with a DPoP proof but is not bound to a key, or `DPOP_REQUIRED` demands a bound one.',
    there: 'Have the client ask for a bound token (RFC 9449 §5).',
    here: 'Set `DPOP_REQUIRED=false` to accept bearer tokens too.',
  },
  bound_to_another_key: {
    meaning: 'The DPoP proof is by another key than the one that the token is bound to: the token may be stolen.',
    there: 'Have the client use the key by which it got the token.',
    here: '',
  },
  revoked: {
    meaning: 'Its issuer has revoked it: it is marked in the status list that it refers to.',
    there: 'Nothing, if it was meant to end. Have the client sign in again.',
    here: '',
  },
  wrong_status: {
    meaning: 'It refers to a status list that is not at its issuer, or to an entry that the list does not have.',
    there: 'Have the issuer publish its lists at its own origin, and few of them at a time.',
    here: 'Name the origin of its lists in `STATUS_LIST_ORIGINS`.',
    ofSetUp: true,
  },
  status_unavailable: {
    meaning: 'The status list that it refers to could not be read for too long; the answer is 503.',
    there: 'Have the issuer answer at the URL of the list, signed by one of its keys.',
    here: 'Correct `ISSUER_INTERNAL_URL`, the network or the certificate authority; the log says what failed. `STATUS_UNAVAILABLE=accept` goes on without the list.',
    ofSetUp: true,
  },
  keys_unavailable: {
    meaning: 'The keys of the issuer were never read, so no token of it can be checked; the answer is 503.',
    there: 'Have the issuer answer at the URL of its metadata and keys.',
    here: 'Correct `ISSUER_INTERNAL_URL` or `JWKS_URL`, the network or the certificate authority; the log says what failed.',
    ofSetUp: true,
  },
  inactive: {
    meaning:
      'It is opaque, and the issuer says that it is not active: expired, revoked, made up, or of another issuer.',
    there:
      'Nothing, if it has expired or was revoked. Otherwise allow the client of `INTROSPECTION_CLIENT_ID` to ask about it.',
    here: '',
  },
  introspection_unavailable: {
    meaning: 'It is opaque, and the issuer gave no usable answer about it; the answer is 503.',
    there: 'Have the issuer answer at its introspection endpoint, and know the client of `INTROSPECTION_CLIENT_ID`.',
    here: 'Correct `INTROSPECTION_URL`, the client and its secret, or the network; the log says what failed.',
    ofSetUp: true,
  },
  too_many_unknown: {
    meaning: 'The caller sent too many opaque tokens that the issuer does not know; the answer is 429.',
    there: '',
    here: 'Behind a proxy set `TRUSTED_PROXIES`: all its callers share one limit otherwise. Or raise `INTROSPECTION_LIMIT`.',
  },
};

/** A token without the scope that every call needs, which no client can mend by asking for more. */
export const LACKS_BASE_SCOPE: Mend = {
  meaning: 'It lacks a scope (403). Clients ask for a missing one by themselves, if the issuer knows it.',
  there: 'Let the issuer grant the scopes of this server, `mcp:tools` at least, to the client and the person.',
  here: 'If they are called differently there: `TOKEN_SCOPE_CLAIMS`, `TOKEN_SCOPE_PREFIX`, `TOKEN_SCOPE_MAP`; `BASE_SCOPE=none` if it has none.',
};

type Variable = TokenRules['variable'];

/**
 * The mend of a reason that comes from the set-up, as one text for the log.
 * @param variable the variables of the issuer; absent: no issuer is known
 */
export const mendOf = (reason: TokenReason, variable: Variable | undefined): string | undefined =>
  REFUSALS[reason].ofSetUp ? textOf(REFUSALS[reason], variable) : undefined;

export const mendOfBaseScope = (variable: Variable | undefined): string => textOf(LACKS_BASE_SCOPE, variable);

const textOf = ({ there, here }: Mend, variable: Variable = (name) => name): string =>
  withVariables([there && `At the issuer: ${there}`, here && `Here: ${here}`].filter(Boolean).join(' '), variable);

const OF_ISSUER = new Set(Object.values(issuerSettings).map(({ env }): string => env));

/** The texts name settings as they are called if there is one issuer. */
export const withVariables = (text: string, variable: Variable): string =>
  text.replace(/`([^`]*)`/g, (whole, name: string) => (OF_ISSUER.has(name) ? `\`${variable(name)}\`` : whole));

const cell = (text: string): string => (text === '' ? '–' : text.replaceAll('|', '\\|'));

/** A markdown table, one row for each reason. */
export function refusalsTable(): string {
  const rows = Object.entries({ ...REFUSALS, insufficient_scope: LACKS_BASE_SCOPE }).map(
    ([reason, { meaning, there, here }]) => `| \`${reason}\` | ${cell(meaning)} | ${cell(there)} | ${cell(here)} |`,
  );
  const head = ['| reason | what it means | at the issuer, or in the client | here |', '| --- | --- | --- | --- |'];
  return [...head, ...rows].join('\n');
}
