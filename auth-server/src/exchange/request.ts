/** Owns what a client may ask in an exchange (RFC 8693 §2.1): the form of the parameters, before anything is looked up. */
import { INTERACTION, REJECTED_TOKEN } from '@mcp-oauth/shared/contract';
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
  REJECTED_TOKEN,
  INTERACTION.wish,
  INTERACTION.uri,
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
  /** What the client would do if only the person can help: show a link, only ask for news, or say that the person declines. */
  readonly wish: 'link' | 'news' | 'decline';
  /** The link for which the client waits already. */
  readonly link: string | undefined;
}

const WISHES: Readonly<Record<string, ExchangeRequest['wish']>> = { none: 'news', declined: 'decline' };

/** Longer than any link of this server. */
const LONGEST_LINK = 2_048;

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
  const rejected = text(REJECTED_TOKEN);
  if (rejected !== undefined && (target.kind !== 'connector' || !DIGEST.test(rejected))) {
    refuse('rejected_token must be the SHA-256 of a token of a connector, in base64url');
  }
  return { subjectToken, target, scope: text('scope'), rejected, ...interactionIn(text) };
}

function interactionIn(
  text: (name: (typeof PARAMETERS)[number]) => string | undefined,
): Pick<ExchangeRequest, 'wish' | 'link'> {
  const interaction = text(INTERACTION.wish);
  const wish = interaction === undefined ? 'link' : Object.hasOwn(WISHES, interaction) && WISHES[interaction];
  if (!wish) return refuse('interaction must be none or declined, or left out');
  const link = text(INTERACTION.uri);
  if (link !== undefined && link.length > LONGEST_LINK) return refuse('interaction_uri is too long');
  if (wish === 'decline' && link === undefined) return refuse('interaction=declined needs interaction_uri');
  return { wish, link };
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
