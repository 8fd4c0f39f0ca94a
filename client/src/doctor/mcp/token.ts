/**
 * Owns what the doctor says of an access token: whose it is, for whom, until when, and what speaks against it. It is read without the
 * server; the signature is checked where the keys are known. The token itself is never shown.
 */

import { fittingKeys, readKeySet } from '@mcp-oauth/shared/documents/key-set';
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { foreignText, foreignWords } from '../foreign-text.ts';
import { type Document, type Known, note, type Objection, passed, step, type Verdict } from '../step.ts';
import { stringsIn } from '../steps/document.ts';
import { objectIn } from './message.ts';
import { type ListedStatus, listedStatus } from './token-status.ts';

interface Read {
  readonly header?: Document | undefined;
  readonly claims?: Document | undefined;
  readonly signature: 'good' | 'bad' | 'unknown';
  /** Absent: it refers to no status list. */
  readonly status?: ListedStatus | undefined;
  readonly now: number;
}

export const NO_TOKEN = 'there is no token: --token-file, --token or --login';

export const token = step(
  'token',
  ({ token: given, open }) => (given ? undefined : open ? 'the server needs no sign-in' : NO_TOKEN),
  async ({ ask, now }, { token: given = '', keys, issuer, authorities = [] }): Promise<Read> => {
    const [header, claims] = given.split('.').map((part) => objectIn(Buffer.from(part, 'base64url').toString()));
    const isJwt = header !== undefined && claims !== undefined && given.split('.').length === 3;
    if (!isJwt) return { signature: 'unknown', now: now() };
    const own = authorities.find((authority) => authority.issuer === claims.iss)?.keys;
    const found = await checkSignature(given, header, (own ?? keys)?.document);
    // The keys of the issuer that is used need not fit a token of another one.
    const isForeign = !own && issuer !== undefined && claims.iss !== issuer;
    const signature = found === 'bad' && isForeign ? 'unknown' : found;
    const isSigned = async (jwt: string): Promise<boolean | undefined> => {
      const head = objectIn(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString());
      const seen = signature === 'good' && head ? await checkSignature(jwt, head, (own ?? keys)?.document) : 'unknown';
      return seen === 'unknown' ? undefined : seen === 'good';
    };
    const status = signature === 'bad' ? undefined : await listedStatus(claims, ask, isSigned);
    return { header, claims, signature, status, now: now() };
  },
  judgeToken,
);

async function checkSignature(
  given: string,
  header: Document,
  document: Document | undefined,
): Promise<Read['signature']> {
  const keys = readKeySet(document);
  if (!keys || keys.length === 0) return 'unknown';
  for (const key of fittingKeys(keys, { alg: foreignText(header.alg), kid: header.kid })) {
    // Only the signature counts here: the claims are judged below.
    const set = createLocalJWKSet({ keys: [key] } as unknown as JSONWebKeySet);
    if (
      await compactVerify(given, set).then(
        () => true,
        () => false,
      )
    )
      return 'good';
  }
  return 'bad';
}

export function judgeToken(read: Read, known: Pick<Known, 'url' | 'issuer' | 'resource' | 'challenge'>): Verdict {
  const { header, claims, signature, status } = read;
  if (!header || !claims) return passed('opaque: only its issuer can say whose it is and until when');
  const objections = [
    ...objectionsToKind(header, claims, signature),
    ...objectionsToTime(claims, read.now),
    ...objectionsToParties(claims, signature, known),
    ...objectionsToStatus(status),
  ];
  const listed = status?.state === 'good' ? `. It is not revoked: ${status.says} is not marked` : '';
  const says = `${explained(claims)}. ${SIGNATURES[signature]}${listed}`;
  if (objections.length === 0) return passed(says);
  return note(`${says}. But ${objections.map((objection) => objection.says).join('; ')}`, { objections });
}

const SIGNATURES = {
  good: 'The signature is of the authorization server',
  bad: 'The signature is of none of its keys',
  unknown: 'The signature was not checked',
} as const;

function explained({ sub, client_id: client, azp, iss, aud, scope, scp, exp }: Document): string {
  const parts: readonly (readonly [string, unknown])[] = [
    ['subject', sub],
    ['client', client ?? azp],
    ['by', iss],
    ['for', aud],
    ['scope', scope ?? scp],
    ['until', typeof exp === 'number' ? timeOf(exp) : undefined],
  ];
  return parts.map(([word, value]) => `${word} ${value === undefined ? 'missing' : foreignWords(value)}`).join(', ');
}

const timeOf = (seconds: number): string => {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000', '');
};

function objectionsToKind(
  { alg, typ }: Document,
  claims: Document,
  signature: Read['signature'],
): readonly Objection[] {
  const responsible = 'authorization-server';
  const objections: Objection[] = [];
  if (/^(none$|HS)/.test(foreignText(alg)))
    objections.push({
      responsible,
      says: `alg is ${foreignText(alg)}`,
      fix: 'Sign access tokens with a private key: ES256, RS256, EdDSA.',
    });
  else if (signature === 'bad')
    objections.push({
      responsible,
      says: 'no published key fits its signature',
      fix: 'Publish the key, or get the token from the issuer that the server names.',
    });
  if (claims.cnf !== undefined)
    objections.push({
      responsible: 'user',
      says: 'it is bound to a key (cnf)',
      fix: 'Give this command a bearer token: it has no key.',
    });
  const isIdToken = claims.nonce !== undefined || claims.at_hash !== undefined;
  if (isIdToken)
    objections.push({
      responsible: 'user',
      says: 'it is an ID token',
      fix: 'Send the access_token of the same answer.',
    });
  else if (typ !== undefined && !/^(application\/)?(at\+jwt|jwt)$/i.test(foreignText(typ)))
    objections.push({
      responsible,
      says: `typ is ${foreignText(typ)}`,
      fix: 'Give access tokens the typ at+jwt (RFC 9068 §2.1).',
    });
  return objections;
}

function objectionsToStatus(status: ListedStatus | undefined): readonly Objection[] {
  if (status?.state === 'marked') {
    return [
      { responsible: 'user', says: `its issuer has revoked it: ${status.says} is marked`, fix: 'Sign in again.' },
    ];
  }
  if (status?.state !== 'unreadable') return [];
  const fix = 'Publish the status list there, signed by a key of the issuer.';
  return [{ responsible: 'authorization-server', says: `its status list can't be read: ${status.says}`, fix }];
}

function objectionsToTime({ exp, nbf, iat }: Document, now: number): readonly Objection[] {
  const at = now / 1000;
  if (typeof exp !== 'number')
    return [{ responsible: 'authorization-server', says: 'exp is missing', fix: 'Give access tokens an end.' }];
  if (exp < at)
    return [{ responsible: 'user', says: `it has expired ${Math.round(at - exp)} s ago`, fix: 'Get a new token.' }];
  const begin = Math.max(...[nbf, iat].filter((one) => typeof one === 'number'), 0);
  if (begin > at + 60)
    return [
      {
        responsible: 'authorization-server',
        says: `it begins in ${Math.round(begin - at)} s`,
        fix: 'Compare the clocks.',
      },
    ];
  return [];
}

/** A server may publish the metadata of an issuer elsewhere under an identifier of its own: tokens then have the `iss` of that issuer. */
function isIssuerBehind(iss: unknown, identifier: string | undefined, server: URL): boolean {
  const host = typeof iss === 'string' ? URL.parse(iss)?.host : undefined;
  return host !== undefined && host !== server.host && URL.parse(identifier ?? '')?.origin === server.origin;
}

function objectionsToParties(
  claims: Document,
  signature: Read['signature'],
  { url, issuer, resource, challenge }: Parameters<typeof judgeToken>[1],
): readonly Objection[] {
  const objections: Objection[] = [];
  const issuers = [issuer ?? [], stringsIn(resource?.document ?? {}, 'authorization_servers')].flat();
  const isRestated = signature === 'good' && isIssuerBehind(claims.iss, issuer, url);
  if (issuers.length > 0 && !isRestated && !issuers.some((one) => one === claims.iss)) {
    const fix = `Get the token from ${issuers[0]}, or list the issuer of this one in authorization_servers.`;
    objections.push({
      responsible: 'user',
      says: `iss is ${foreignText(claims.iss)}, not ${[...new Set(issuers)].join(', ')}`,
      fix,
    });
  }
  const audiences = [claims.aud].flat();
  const named = resource?.document.resource;
  const wanted = typeof named === 'string' ? named : url.href;
  if (![wanted, url.href].some((one) => audiences.includes(one))) {
    const fix = `Send resource=${wanted} to /authorize and /token (RFC 8707), and let the authorization server write it into aud.`;
    const found = claims.aud === undefined ? 'is missing' : `is ${audiences.map(foreignText).join(', ')}`;
    objections.push({ responsible: 'authorization-server', says: `aud ${found}, without ${wanted}`, fix });
  }
  const needed = challenge?.parameters.scope?.split(' ').filter(Boolean) ?? [];
  const held = [claims.scope, claims.scp].flat().flatMap((one) => foreignText(one ?? '').split(' '));
  const lacking = needed.filter((scope) => !held.includes(scope));
  if (lacking.length > 0)
    objections.push({
      responsible: 'user',
      says: `the scope ${lacking.join(' ')} is missing`,
      fix: `Ask for scope=${needed.join(' ')}.`,
    });
  return objections;
}
