/** Owns the settings that every service has for being a process: declared once, so that one variable has one truth. */

import { DEFAULT_HEADER_SIZE } from '../http/unreadable.ts';
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
    doc: "Maximum size of a request's header in bytes, the access token included. The default has room for a token of 32 KiB, as issuers send for people in hundreds of groups, and 4 KiB of other fields. A larger one is answered 431. Proxies in front have a limit of their own.",
    type: integer(16_384, 262_144),
    default: String(DEFAULT_HEADER_SIZE),
  }),
  environment: setting({
    env: 'NODE_ENV',
    doc: 'In `production` everything that is only safe on a developer’s machine is refused at start.',
    type: oneOf('development', 'production', 'test'),
    default: 'development',
  }),
  foreignVariables: optional({
    env: 'FOREIGN_VARIABLES',
    doc: 'Names of variables that look like settings and are meant for something else. Any other that begins like a setting, or is near one, is named at the start; in production one that is two letters or fewer from a setting that may protect ends it.',
    type: list(),
    example: 'TOKEN_FOR_MY_TOOL',
  }),
  logLevel: setting({
    env: 'LOG_LEVEL',
    doc: 'What is logged: everything from this level up.',
    type: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
  }),
  shutdownTimeout: setting({
    env: 'SHUTDOWN_TIMEOUT',
    doc: 'How long running requests get to finish when the service is told to stop.',
    type: duration(0, 600),
    default: '10s',
  }),
  shutdownLinger: setting({
    env: 'SHUTDOWN_LINGER',
    doc: 'How long connections without a request stay open, and are served, when the service is told to stop. A gateway that keeps its own idle connections for less never sends a request into one that is being closed.',
    type: duration(0, 600),
    default: '0s',
  }),
};
