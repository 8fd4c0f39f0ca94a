/** Owns the settings that every service process has: declared once, so that a variable means the same everywhere. */

import { DEFAULT_HEADER_SIZE } from '../http/request/unreadable.ts';
import { optional, setting } from './config.ts';
import { duration, integer, list, oneOf, text } from './types.ts';

export const processSettings = {
  host: optional({
    env: 'HOST',
    doc: 'Address to listen on. Not set: loopback only, 127.0.0.1 and ::1.',
    type: text(),
    example: '0.0.0.0',
  }),
  maxHeaderSize: setting({
    env: 'MAX_HEADER_SIZE',
    doc: "Maximum size of a request's header in bytes, including the access token. The default is enough for a token of 32 KiB, as issuers send for people in hundreds of groups, and 4 KiB of other fields. A larger header is answered with 431. Proxies in front have a limit of their own.",
    type: integer(16_384, 262_144),
    default: String(DEFAULT_HEADER_SIZE),
  }),
  environment: setting({
    env: 'NODE_ENV',
    doc: 'In `production` the server refuses to start with settings that are only safe on a developer’s machine.',
    type: oneOf('development', 'production', 'test'),
    default: 'development',
  }),
  foreignVariables: optional({
    env: 'FOREIGN_VARIABLES',
    doc: 'Names of variables that look like settings but belong to something else. Any other variable that begins like a setting, or is spelled almost like one, is reported at the start. In production the start fails if such a variable differs by at most two letters from a setting that may protect the server, or is such a setting of an issuer that is not named.',
    type: list(),
    example: 'TOKEN_FOR_MY_TOOL',
  }),
  logLevel: setting({
    env: 'LOG_LEVEL',
    doc: 'Lowest level that is logged.',
    type: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
  }),
  shutdownTimeout: setting({
    env: 'SHUTDOWN_TIMEOUT',
    doc: 'How long running requests may take to finish when the service is told to stop.',
    type: duration(0, 600),
    default: '10s',
  }),
  shutdownLinger: setting({
    env: 'SHUTDOWN_LINGER',
    doc: 'How long idle connections stay open, and are served, when the service is told to stop. A gateway never sends a request on a connection that is being closed if it drops idle ones sooner, or no longer selects the replica by then.',
    type: duration(0, 600),
    default: '0s',
  }),
};
