/**
 * Owns the admission check of a gateway: does this process accept requests? The gateway asks again and again, beside the requests, and
 * sends none to a process that does not answer. Owns, too, that a token waits for the preparation of a process that has just started.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Logger } from '../logger.ts';
import { refusalOfHead } from './request/head.ts';

/** Path of the admission check; the gateway does not publish it. */
export const ADMISSION_PATH = '/accepting';

export interface Admission {
  readonly handler: RequestListener;
  /** From now on the check gets no answer; requests that arrive anyway are served. */
  close(): void;
}

export interface AdmissionOptions {
  /** Runs once: the first check or the first request with a token starts it, and both wait for it. Absent: there is nothing to wait for. */
  readonly prepare?: (() => Promise<void>) | undefined;
  readonly log?: Logger | undefined;
}

export function createAdmission(handler: RequestListener, { prepare, log }: AdmissionOptions = {}): Admission {
  let isPrepared = prepare === undefined;
  let isClosed = false;
  let prepared: Promise<void> | undefined;
  const over = (): void => {
    isPrepared = true;
  };
  // A check without an answer would keep the gateway away for ever, so a failed preparation is over as well.
  const preparation = (): Promise<void> => {
    prepared ??= (prepare?.() ?? Promise.resolve()).then(over, over);
    return prepared;
  };
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    if (isClosed) req.socket.destroy();
    else res.writeHead(204, { 'Cache-Control': 'no-store' }).end();
  };
  return {
    handler: (req, res) => {
      const isCheck = req.url === ADMISSION_PATH && !refusalOfHead(req);
      const serve = isCheck ? answer : handler;
      // A gateway may send requests before its first check. Only a token needs what is prepared; probes and documents do not wait.
      if (isPrepared || isClosed || !(isCheck || req.headers.authorization)) return serve(req, res);
      preparation()
        .then(() => {
          // A client that has left meanwhile may have sent it again, to another replica.
          if (!res.destroyed) serve(req, res);
        })
        .catch((err: unknown) => {
          log?.error({ err }, 'request failed');
          res.destroy();
        });
    },
    close: () => {
      isClosed = true;
    },
  };
}
