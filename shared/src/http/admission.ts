/**
 * Owns the admission check that a gateway sends before each request: does this process accept requests? It is a GET, so that a
 * gateway may ask the next replica if it gets no answer (RFC 9110 §9.2.2), which it must not do with the request itself.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { refusalOfHead } from './request/head.ts';

/** Path of the admission check; the gateway does not publish it. */
export const ADMISSION_PATH = '/accepting';

export interface Admission {
  readonly handler: RequestListener;
  /** From now on the check gets no answer; requests that arrive anyway are served. */
  close(): void;
}

/** @param prepare runs before the first request: the first check starts it and waits for it */
export function createAdmission(handler: RequestListener, prepare = async (): Promise<void> => {}): Admission {
  let state: 'unasked' | 'preparing' | 'open' | 'closed' = 'unasked';
  let prepared: Promise<void> | undefined;
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    if (state === 'open') res.writeHead(204, { 'Cache-Control': 'no-store' }).end();
    else req.socket.destroy();
  };
  const ask = (req: IncomingMessage, res: ServerResponse): void => {
    state = 'preparing';
    prepared ??= prepare();
    const open = (): void => {
      if (state === 'preparing') state = 'open';
      answer(req, res);
    };
    // A check without an answer would keep the gateway away for ever.
    prepared.then(open, open);
  };
  return {
    handler: (req, res) => {
      if (req.url !== ADMISSION_PATH || refusalOfHead(req)) handler(req, res);
      else if (state === 'open' || state === 'closed') answer(req, res);
      else ask(req, res);
    },
    close: () => {
      state = 'closed';
    },
  };
}
