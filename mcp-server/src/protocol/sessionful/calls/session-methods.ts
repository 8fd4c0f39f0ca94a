/**
 * Owns the methods that only sessions have: `initialize`, and those that change the session's record (MCP lifecycle, logging, resource
 * subscriptions).
 */
import { INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST } from '@mcp-oauth/shared/json-rpc-codes';
import { normalUri } from '@mcp-oauth/shared/network/normal-uri';
import { type Implementation, LoggingLevelSchema } from '@modelcontextprotocol/sdk/types.js';
import { StorageUnavailable } from '../../../sessions/ports.ts';
import type { SessionHost } from '../../../sessions/session-host.ts';
import { type Call, type Method, type Methods, RpcError } from '../../call.ts';
import { CAPABILITIES } from '../../capabilities.ts';
import { SESSION_REVISIONS } from '../../revisions.ts';
import type { SessionCall } from './session-call.ts';

type Alter = Pick<SessionHost, 'alter'>;

/** What a client learns of this server when it connects. */
export interface Introduction {
  readonly serverInfo: Implementation;
  /** For the model of the client: how to use this server. */
  readonly instructions?: string | undefined;
}

/** Maximum characters of a URI: a session keeps a thousand of them, and its record is read as a whole. */
const LONGEST_URI = 2_048;

/** Maximum characters of all subscriptions of a session: a person may have a hundred sessions. */
const MOST_CHARACTERS = 65_536;

/** Call these methods with a `SessionCall`. */
export const sessionMethods = (sessions: Alter, introduction: Introduction): Methods =>
  new Map<string, Method>([
    ['initialize', initialize(introduction)],
    ['resources/subscribe', subscription(sessions, 'subscribe')],
    ['resources/unsubscribe', subscription(sessions, 'unsubscribe')],
    ['logging/setLevel', setLevel(sessions)],
  ]);

/** MCP lifecycle, "Initialization": the session has been opened with the revision that was negotiated. */
function initialize({ serverInfo, instructions }: Introduction): Method {
  const prepared = new Map<string, object>();
  const resultFor = (protocolVersion: string): object => ({
    protocolVersion,
    capabilities: CAPABILITIES,
    serverInfo,
    ...(instructions && { instructions }),
  });
  for (const revision of SESSION_REVISIONS) prepared.set(revision, resultFor(revision));
  return (_, call) => {
    const { revision } = call as SessionCall;
    const result = revision && prepared.get(revision);
    if (!result) throw new Error('the session has no revision');
    return result;
  };
}

const subscription =
  ({ alter }: Alter, key: 'subscribe' | 'unsubscribe'): Method =>
  async ({ uri: given }, call) => {
    if (typeof given !== 'string') throw new RpcError(INVALID_PARAMS, 'uri has to be a string');
    // Normalized: the author may announce the resource with another spelling of its URI.
    const uri = given.length > LONGEST_URI ? given : normalUri(given);
    if (uri.length > LONGEST_URI) throw new RpcError(INVALID_PARAMS, 'The uri is too long for a subscription');
    const followed = key === 'subscribe' ? (call as SessionCall).subscriptions : [];
    if (followed.reduce((sum, { length }) => sum + length, uri.length) > MOST_CHARACTERS) {
      throw new RpcError(INVALID_REQUEST, `The URIs of a session's subscriptions are too long together`);
    }
    if (await written(alter(sessionOf(call), { [key]: uri }))) return {};
    throw new RpcError(INVALID_REQUEST, 'This session has its maximum number of subscriptions');
  };

const setLevel =
  ({ alter }: Alter): Method =>
  async ({ level }, call) => {
    const { data } = LoggingLevelSchema.safeParse(level);
    if (!data) throw new RpcError(INVALID_PARAMS, `level has to be one of ${LEVELS}`);
    await written(alter(sessionOf(call), { logLevel: data }));
    return {};
  };

const LEVELS = LoggingLevelSchema.options.join(', ');

const sessionOf = (call: Call): string => (call as SessionCall).session;

async function written(altering: Promise<boolean>): Promise<boolean> {
  try {
    return await altering;
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    throw new RpcError(INTERNAL_ERROR, "The server's storage is temporarily unavailable; please try again");
  }
}
