/** Owns one open `text/event-stream` answer: frames, keep-alive, and what happens when nobody reads (WHATWG HTML §9.2). */
import type { ServerResponse } from 'node:http';
import type { Share } from '../../allowance/allowance.ts';

/** Bytes that may wait for a reader; who falls further behind is cut off, so that one reader can't fill the memory. */
const BACKLOG = 1_048_576;

const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  // nginx and its kin hold events back without this.
  'X-Accel-Buffering': 'no',
} as const;

export interface Frame {
  readonly data: string;
  readonly event?: string;
  /** What a client that comes back says that it has. */
  readonly id?: string;
  /** Milliseconds after which a client may come back. */
  readonly retry?: number;
}

export class EventStream {
  readonly #res: ServerResponse;
  readonly #share: Share | undefined;
  /** Whether somebody lets go of the share. */
  #counts = false;

  /**
   * @param onClose runs once, whoever ends the stream
   * @param share of the reader's memory: what they do not read counts
   */
  constructor(res: ServerResponse, onClose?: () => void, share?: Share) {
    this.#res = res;
    this.#share = share;
    if (onClose) res.once('close', onClose);
    // A reset connection is an everyday event and shows as 'close'.
    res.on('error', () => {});
    if (!res.destroyed) res.writeHead(200, HEADERS).flushHeaders();
    else if (onClose) onClose();
  }

  get open(): boolean {
    return !this.#res.destroyed && !this.#res.writableEnded;
  }

  /** @returns false when the stream takes no more */
  send({ data, event = 'message', id, retry }: Frame): boolean {
    const lines = [
      ...(retry === undefined ? [] : [`retry: ${retry}`]),
      ...(id === undefined ? [] : [`id: ${id}`]),
      // An event without data is there for its id alone, and has no name.
      ...(data ? [`event: ${event}`] : []),
      `data: ${data}`,
    ];
    return this.#write(`${lines.join('\n')}\n\n`);
  }

  keepAlive(): void {
    this.#write(': keep-alive\n\n');
  }

  end(): void {
    if (this.open) this.#res.end();
  }

  #write(frame: string): boolean {
    if (!this.open) return false;
    if (this.#res.writableLength > BACKLOG) this.#res.destroy();
    else if (!this.#res.write(frame) && !this.#countUnread(frame.length)) this.#res.destroy();
    return !this.#res.destroyed;
  }

  /** The reader is slow. @returns false when they have as much to read as they may have, on whatever connections */
  #countUnread(bytes: number): boolean {
    const share = this.#share;
    if (!share) return true;
    if (!this.#counts) {
      this.#counts = true;
      this.#res.on('drain', () => share.release()).once('close', () => share.release());
    }
    return share.hold(bytes);
  }
}
