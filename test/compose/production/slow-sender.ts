/**
 * Owns clients that send a request slowly or stop: over HTTP/1.1 and HTTP/2, until the gateway closes the connection.
 */
import { connect } from 'node:http2';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface CutOff {
  /** The answer, if there was one. */
  readonly status: number | undefined;
  readonly body: string;
}

const LENGTH = { 'content-length': '1000', 'content-type': 'application/x-www-form-urlencoded' };
/** Milliseconds between two bytes. */
const PACE = 500;

/** Sends one byte after the other over HTTP/1.1. */
export const steadyBody = (url: URL): Promise<CutOff> =>
  new Promise((resolve) => {
    let answered: CutOff = { status: undefined, body: '' };
    const upload = request(url, { method: 'POST', headers: LENGTH, agent: false }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      answered = { status: response.statusCode, body };
    });
    const pace = setInterval(() => upload.write('a'), PACE);
    // The gateway closes the connection while there is more to send.
    upload.on('error', () => {});
    upload.on('close', () => {
      clearInterval(pace);
      resolve(answered);
    });
  });

/** Sends one byte and no other over HTTP/2. */
export const silentBody = (url: URL): Promise<CutOff> =>
  new Promise((resolve, reject) => {
    const session = connect(url.origin).on('error', reject);
    const upload = session.request({ ':method': 'POST', ':path': url.pathname, ...LENGTH }).on('error', reject);
    let answered: CutOff = { status: undefined, body: '' };
    upload.on('response', (headers) => {
      answered = { ...answered, status: headers[':status'] };
    });
    upload.on('data', (chunk) => {
      answered = { ...answered, body: answered.body + chunk };
    });
    upload.on('close', () => {
      session.close();
      resolve(answered);
    });
    upload.write('a');
  });

/** Sends a head that never ends; resolves when the connection is closed. */
export const endlessHead = (url: URL): Promise<void> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = url;
    const socket = connectTls({ host: hostname, servername: hostname, port: Number(port || 443) });
    socket.write('GET / HTTP/1.1\r\nHo');
    socket.resume().on('error', reject).on('close', resolve);
  });

/** Sends nothing, not even the first message of TLS; resolves when the connection is closed. */
export const silentHandshake = ({ hostname, port }: URL): Promise<void> =>
  new Promise((resolve, reject) => {
    connectTcp(Number(port || 443), hostname)
      .resume()
      .on('error', reject)
      .on('close', resolve);
  });
