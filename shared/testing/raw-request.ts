/** Owns HTTP requests as raw text, for requests that an HTTP client would correct or refuse to send. */
import { connect } from 'node:net';

/**
 * Sends the lines of a head, and the body if there is one.
 * @returns everything that the server sends until it closes the connection
 */
export function rawRequest(server: string, head: readonly string[], body = ''): Promise<string> {
  const { hostname, port } = new URL(server);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () =>
      socket.write(`${[...head, 'Connection: close', '', ''].join('\r\n')}${body}`),
    );
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

/** The status of such an answer. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
