/** Owns what a client may ask in an exchange (RFC 8693 §2.1): the form of the parameters, before anything is looked up. */
import { badTarget, ExchangeRefused } from './refusal.ts';

/** RFC 8693 §3 */
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

export const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'actor_token',
  'actor_token_type',
  'audience',
  'resource',
  'scope',
  'rejected_token',
  'interaction',
] as const;

/** Parameters that may occur several times (§2.1); more than one target is refused here with its own error. */
export const REPEATED = ['audience', 'resource'] as const;

type Target =
  /** The id of a connector: the token of the person there. */
  | { readonly kind: 'connector'; readonly id: string }
  /** Another MCP server of ours (RFC 8707). */
  | { readonly kind: 'resource'; readonly id: string };

export interface ExchangeRequest {
  readonly subjectToken: string;
  readonly target: Target;
  /** Absent: as much as there may be. */
  readonly scope: string | undefined;
  /** SHA-256 (base64url) of an access token that the API of the upstream has refused with 401. */
  readonly rejected: string | undefined;
  /** Whether the client can send the person to a page, and has no link yet. */
  readonly wantsLink: boolean;
}

const DIGEST = /^[\w-]{43}$/;

const refuse = (description: string): never => {
  throw new ExchangeRefused('invalid_request', description);
};

/** @throws ExchangeRefused */
export function readRequest(params: Readonly<Record<string, unknown>>): ExchangeRequest {
  const text = (name: (typeof PARAMETERS)[number]): string | undefined => {
    const value = params[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  if (text('actor_token') !== undefined || text('actor_token_type') !== undefined) {
    refuse('actor_token is not supported: the actor is the client that authenticates itself');
  }
  const subjectToken = text('subject_token') ?? refuse('subject_token is missing');
  if (text('subject_token_type') !== ACCESS_TOKEN) refuse(`subject_token_type must be ${ACCESS_TOKEN}`);
  if ((text('requested_token_type') ?? ACCESS_TOKEN) !== ACCESS_TOKEN) {
    refuse(`requested_token_type must be ${ACCESS_TOKEN}`);
  }
  const target = targetIn(params);
  const rejected = text('rejected_token');
  if (rejected !== undefined && (target.kind !== 'connector' || !DIGEST.test(rejected))) {
    refuse('rejected_token must be the SHA-256 of a token of a connector, in base64url');
  }
  const interaction = text('interaction');
  if (interaction !== undefined && interaction !== 'none') refuse('interaction must be none, or left out');
  return { subjectToken, target, scope: text('scope'), rejected, wantsLink: interaction === undefined };
}

/** One token is for one target: with several, each could use it at the others. */
function targetIn({ audience, resource }: Readonly<Record<string, unknown>>): Target {
  const connectors = textsIn(audience);
  const resources = textsIn(resource);
  if (connectors.length + resources.length > 1) throw badTarget('more than one audience or resource');
  const [connector] = connectors;
  if (connector !== undefined) return { kind: 'connector', id: connector };
  const [id = refuse('audience or resource is missing')] = resources;
  return { kind: 'resource', id };
}

const textsIn = (value: unknown): readonly string[] =>
  [value].flat().filter((one): one is string => typeof one === 'string' && one !== '');
