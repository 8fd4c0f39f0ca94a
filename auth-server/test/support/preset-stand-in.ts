/** Owns a preset in a test: its settings are read as the operator writes them, and its provider is the stand-in. */
import { readSettings } from '@mcp-oauth/shared/settings/config';
import type { JWTPayload } from 'jose';
import type {
  Acceptance,
  Connector,
  ConnectorContext,
  ConnectorKind,
  Identity,
  RuleType,
} from '../../src/federation/connector.ts';
import { CALLBACK, checks } from '../contracts/connector.contract.ts';
import { type Play, start } from './oidc-stand-in.ts';

type Env = Readonly<Record<string, string>>;

const CREDENTIALS: Env = { CLIENT_ID: 'client', CLIENT_SECRET: 'secret' };

/** The problems of settings, each named by its variable. */
export function problemsOf(kind: ConnectorKind, env: Env) {
  const { values, problems } = readSettings(kind.settings, env);
  return problems.length > 0 ? problems : (kind.rules?.(values as Parameters<ConnectorKind['open']>[0]) ?? []);
}

export function openKind(kind: ConnectorKind, env: Env, context: Partial<ConnectorContext> = {}): Connector {
  const problems = problemsOf(kind, env);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const { values } = readSettings(kind.settings, env);
  const settings = values as Parameters<ConnectorKind['open']>[0];
  return kind.open(settings, { callbackUrl: CALLBACK, fetch, ...context }) as Connector;
}

/** Which accounts these settings accept. */
export const acceptanceOf = (kind: ConnectorKind, env: Env): Acceptance | undefined =>
  kind.acceptance?.(
    readSettings(kind.settings, { ...CREDENTIALS, ...env }).values as Parameters<ConnectorKind['open']>[0],
  );

export interface PresetOptions {
  /** Where the provider is on the stand-in. */
  readonly path?: string;
  /** Settings beside the client. Absent: ISSUER. */
  readonly env?: (issuer: string) => Env;
  /** Settings that are not of this kind. */
  readonly without?: readonly string[];
  /** Claims that each id token of the vendor has. */
  readonly claims?: JWTPayload;
  /** Claims that name an address without saying that it is verified. */
  readonly unverified?: (email: string) => JWTPayload;
}

export async function startPreset(
  kind: ConnectorKind,
  options: PresetOptions,
  more: { readonly timeout?: number; readonly needs?: readonly RuleType[]; readonly env?: Env } = {},
): Promise<Play> {
  const { path, env = (issuer) => ({ ISSUER: issuer }), without = [], claims = {}, unverified } = options;
  const openAt = (issuer: string) => {
    const given = { ...CREDENTIALS, TIMEOUT: `${more.timeout ?? 60}s`, ...env(issuer), ...more.env };
    const own = Object.fromEntries(Object.entries(given).filter(([name]) => !without.includes(name)));
    return openKind(kind, own, { needs: more.needs && new Set(more.needs) });
  };
  const play = await start(path, undefined, { openAt });
  play.claims = claims;
  const nameUnverified = (email: string) => {
    play.claims = { ...claims, ...(unverified?.(email) ?? { email, email_verified: false }) };
  };
  return Object.assign(play, { nameUnverified });
}

/** One sign-in from the authorization request to the identity. */
export async function signInAt({ connector, signIn }: Play): Promise<Identity> {
  return (await connector.finish(await signIn(await connector.begin(checks)), checks)).identity;
}
