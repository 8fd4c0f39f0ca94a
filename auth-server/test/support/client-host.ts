/**
 * Owns a host of client documents in a test: real https on localhost, with the answers that the test sets, and
 * counters.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import tls from 'node:tls';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { WEB } from './client.ts';

const file = (name: string): string => readFileSync(new URL(`./certificate/${name}`, import.meta.url), 'utf8');

export const CERTIFICATE = new URL('./certificate/certificate.pem', import.meta.url).pathname;

/** Key and certificate for a TLS server on localhost. */
export const CERTIFICATES = { key: file('key.pem'), cert: file('certificate.pem') };

/** Trusts the certificate as NODE_EXTRA_CA_CERTS does for a separate process. */
export function trustTestCertificate(): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), file('certificate.pem')]);
}

export interface HostAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text as it is. */
  readonly body?: unknown;
  /** Accepts the request and never answers. */
  readonly silent?: boolean;
  /** Begins the body and never ends it. */
  readonly endless?: boolean;
}

export interface Seen {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export class ClientHost implements AsyncDisposable {
  readonly answers = new Map<string, HostAnswer>();
  readonly seen: Seen[] = [];
  /** Number of TCP connections, with or without a request. */
  connections = 0;
  #server: Server;
  readonly #port: number;

  private constructor(port: number) {
    this.#port = port;
    this.#server = this.#create();
  }

  static async start(): Promise<ClientHost> {
    const [port = 0] = await freePorts(1);
    const host = new ClientHost(port);
    await host.up();
    return host;
  }

  #create(): Server {
    const server = createServer(CERTIFICATES, (req, res) => {
      const path = req.url ?? '';
      this.seen.push({ path, headers: req.headers });
      const { status = 200, headers = {}, body = '', silent, endless } = this.answers.get(path) ?? { status: 404 };
      if (silent) return;
      res.writeHead(status, { 'content-type': 'application/json', ...headers });
      if (endless) return void res.write('{');
      res.end(typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body));
    });
    server.on('connection', () => {
      this.connections += 1;
    });
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** `localhost:port` */
  get name(): string {
    return `localhost:${this.#port}`;
  }

  url(path = '/client.json'): string {
    return `https://${this.name}${path}`;
  }

  requests(path = '/client.json'): number {
    return this.seen.filter((seen) => seen.path === path).length;
  }

  /** Publishes a document and returns its URL, which is the client id. */
  publish(change: Readonly<Record<string, unknown>> = {}, answer: HostAnswer = {}, path = '/client.json'): string {
    const document = { client_id: this.url(path), client_name: 'Published app', redirect_uris: [WEB], ...change };
    this.answers.set(path, { body: document, ...answer });
    return this.url(path);
  }

  async up(): Promise<void> {
    this.#server = this.#create();
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
  }

  async down(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.down();
  }
}
