/**
 * Owns the question that a gateway asks before each request: does this process take one? It is a GET, so that a gateway may ask
 * the next replica when it gets no answer (RFC 9110 §9.2.2), which it may not do with the request itself.
 */
import type { RequestListener } from 'node:http';

/** Where it is asked; the gateway keeps it from the outside. */
export const ADMISSION_PATH = '/accepting';

export interface Admission {
  readonly handler: RequestListener;
  /** From here on the question gets no answer; requests that come all the same are served. */
  close(): void;
}

export function createAdmission(handler: RequestListener): Admission {
  let isOpen = true;
  return {
    handler: (req, res) => {
      if (req.url !== ADMISSION_PATH) handler(req, res);
      else if (isOpen) res.writeHead(204, { 'Cache-Control': 'no-store' }).end();
      else req.socket.destroy();
    },
    close: () => {
      isOpen = false;
    },
  };
}
