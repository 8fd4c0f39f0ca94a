/**
 * Owns the endpoints beside restated metadata: an authorization request that loses `resource` on its way to the issuer, and the
 * registration that answers with the one client of the issuer. No code, no token and no secret passes through here.
 */
import Router from '@koa/router';
import { HttpError } from '@mcp-oauth/shared/errors';
import { readBounded } from '@mcp-oauth/shared/http/request/bounded-body';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Middleware } from 'koa';
import {
  AUTHORIZE_PATH,
  REGISTER_PATH,
  type Restatement,
  restate,
  type StaticClient,
  withoutResource,
} from '../../authorization/issuer/restated/metadata.ts';
import { isRefused, register } from '../../authorization/issuer/restated/registration.ts';
import { registrationCors } from '../cors.ts';
import { type MetadataSource, redirectToAuthorization } from './legacy-discovery.ts';
import { methods } from './methods.ts';

export interface RestatedIssuer {
  readonly metadata: MetadataSource;
  readonly restated: Restatement;
}

/** The document for clients. An issuer that sends `iss` is named in the log once, because some clients can't use it this way. */
export function restatedMetadata(
  { metadata, restated }: RestatedIssuer,
  publicUrl: string,
  log: Logger,
): MetadataSource {
  let told = false;
  return {
    get: async () => {
      const found = await metadata.get();
      if (found.authorization_response_iss_parameter_supported === true && !told) {
        told = true;
        log.warn(
          { issuer: found.issuer, setting: restated.setting },
          'the issuer sends iss with each code (RFC 9207): clients that compare it with the metadata from here refuse to sign in',
        );
      }
      return restate(found, publicUrl, restated);
    },
  };
}

export function restatedEndpoints({ metadata, restated }: RestatedIssuer): Router {
  const router = new Router();
  if (restated.dropsResource)
    router.all(AUTHORIZE_PATH, methods('GET', 'HEAD'), redirectToAuthorization(metadata, withoutResource));
  if (restated.client)
    router.all(REGISTER_PATH, registrationCors(), methods('POST'), answerRegistration(restated.client));
  return router;
}

/** More than any client sends. */
const LARGEST = 16_384;

/** RFC 7591 §3. */
function answerRegistration(client: StaticClient): Middleware {
  return async (ctx) => {
    const answer = register(await jsonOf(ctx), client);
    if (isRefused(answer)) throw new HttpError(400, answer.error, answer.description);
    ctx.status = 201;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = answer;
  };
}

async function jsonOf(ctx: Parameters<Middleware>[0]): Promise<unknown> {
  if (!ctx.is('application/json'))
    throw new HttpError(415, 'invalid_request', 'The body must be application/json.', {
      reason: 'unsupported_media_type',
      headers: { Accept: 'application/json' },
    });
  try {
    const bytes = await readBounded(ctx, LARGEST);
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, 'invalid_client_metadata', 'The body is not valid JSON in UTF-8.', { cause: error });
  } finally {
    // The rest of a body that is too large: the next request on the connection would wait for its end.
    ctx.req.resume();
  }
}
