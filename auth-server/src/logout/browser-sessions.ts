/** Owns the port to the session of a browser here, which a person can end (`GET /logout`). */
import type { HttpExchange } from '@mcp-oauth/shared/http/exchange';

export interface BrowserSession {
  readonly uid: string;
  readonly accountId: string;
  /** When the person signed in, in seconds since the epoch. */
  readonly since: number;
}

export interface BrowserSessions {
  /** The session of this browser, if somebody is signed in. */
  find(exchange: HttpExchange): Promise<BrowserSession | undefined>;
  /** Ends the session of this browser, if there is one, and removes its cookie. What the person approved stays. */
  end(exchange: HttpExchange): Promise<void>;
}
