/**
 * Owns one open `text/event-stream` answer: its frames, its keep-alives, and the handling of slow readers (WHATWG
 * HTML §9.2).
 */
import type { ServerResponse } from 'node:http';
import { beginAnswer, writeLater } from '@mcp-oauth/shared/http/answer';
import type { Share } from '../../allowance/allowance.ts';

/** Maximum bytes that wait for a reader. A slower reader is disconnected, so that one reader can't fill the memory. */
const BACKLOG = 1_048_576;

/** Characters that wait for the end of the turn, and do not count as unread at the end of a stream: every connection takes as much. */
const SMALL = 16_384;

const HEADERS = [
  ...['Content-Type', 'text/event-stream'],
  ...['Cache-Control', 'no-cache, no-transform'],
  // nginx and similar proxies buffer events without this.
  ...['X-Accel-Buffering', 'no'],
];

export interface Frame {
  readonly data: string;
  readonly event?: string;
  /** The `Last-Event-ID` of a client that reconnects after this event. */
  readonly id?: string;
  /** Milliseconds after which a client may reconnect. */
  readonly retry?: number;
}

export class EventStream {
  readonly #res: ServerResponse;
  readonly #share: Share | undefined;
  /** Whether the share is released when the response has been written. */
  #counts = false;
  /** What is written when this turn ends: a call that reports its progress sends several frames in one. */
  #frames = '';
  #isArmed = false;
  #isEnding = false;

  /**
   * @param onClose runs once, whoever ends the stream
   * @param share of the reader's memory allowance, for unread bytes
   */
  constructor(res: ServerResponse, onClose?: () => void, share?: Share) {
    this.#res = res;
    this.#share = share;
    if (onClose) res.once('close', onClose);
    // A reset connection is normal, and is reported as 'close'.
    res.on('error', () => {});
    if (!res.destroyed) {
      beginAnswer(res, 200, HEADERS);
      this.#arm();
    } else if (onClose) onClose();
  }

  /**
   * For a stream that may stay open for days: writes its head by itself and forgets the headers of the request, with the access token.
   * Node keeps a head that is written together with an event as 48 fragments of text. Headers and fragments take 2.4 KiB.
   */
  begin(): void {
    const { req } = this.#res;
    if (this.open) this.#res.flushHeaders();
    req.headers = {};
    req.rawHeaders = [];
  }

  get open(): boolean {
    return !this.#isEnding && !this.#res.destroyed && !this.#res.writableEnded;
  }

  /** @returns false when the stream accepts no more events */
  send({ data, event = 'message', id, retry }: Frame): boolean {
    const again = retry === undefined ? '' : `retry: ${retry}\n`;
    const position = id === undefined ? '' : `id: ${id}\n`;
    // An event without data only carries its id, and has no name.
    const name = data ? `event: ${event}\n` : '';
    return this.#write(`${again}${position}${name}data: ${data}\n\n`);
  }

  keepAlive(): void {
    this.#write(': keep-alive\n\n');
  }

  end(): void {
    if (!this.open) return;
    this.#isEnding = true;
    this.#arm();
  }

  /** Writes what waits for the end of this turn. */
  flush(): void {
    if (!this.open) return;
    const frames = this.#frames;
    this.#frames = '';
    if (frames === '') this.#res.flushHeaders();
    else if (!this.#res.write(frames) && !this.#countUnread(frames.length)) this.#res.destroy();
  }

  #write(frame: string): boolean {
    if (!this.open) return false;
    this.#frames += frame;
    if (this.#res.writableLength + this.#frames.length > BACKLOG + frame.length) this.#res.destroy();
    // Long frames are written at once: only what the connection does not take is unread.
    else if (this.#frames.length > SMALL) this.flush();
    else this.#arm();
    return !this.#res.destroyed;
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    writeLater(() => {
      this.#isArmed = false;
      if (!this.#isEnding) this.flush();
      else if (!this.#res.destroyed) this.#res.end(this.#frames);
    });
  }

  /**
   * Counts the unread bytes of a slow reader.
   * @returns false when they exceed the person's limit over all connections
   */
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
