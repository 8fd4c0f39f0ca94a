/** Owns the order of the steps: the one in which a client sends these requests. */
import { initialize } from './mcp/initialize.ts';
import { sessions, tools } from './mcp/sessions.ts';
import { signIn } from './mcp/sign-in.ts';
import { stream } from './mcp/stream.ts';
import { token } from './mcp/token.ts';
import type { Step } from './step.ts';
import { challenge } from './steps/challenge.ts';
import { pkce, server } from './steps/issuer.ts';
import { keys } from './steps/keys.ts';
import { page } from './steps/page.ts';
import { answer, name, tls } from './steps/reach.ts';
import { registration } from './steps/registration.ts';
import { resource } from './steps/resource.ts';
import { clocks, userAgents } from './steps/user-agents-and-clocks.ts';

/** After a fault of one of these, no other step is tried. */
export const FOUNDATION: readonly Step[] = [name, tls, answer];

/** Tried for each issuer that the server names. */
export const AT_ISSUER: readonly Step[] = [server, pkce, registration, keys];

export const STEPS: readonly Step[] = [
  ...FOUNDATION,
  challenge,
  resource,
  ...AT_ISSUER,
  page,
  userAgents,
  clocks,
  signIn,
  token,
  initialize,
  sessions,
  tools,
  stream,
];
