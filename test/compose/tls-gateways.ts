/**
 * Owns a compose file with two gateways that terminate TLS beside the one of docker-compose.yml, all with the same
 * haproxy.cfg: one before the same replicas, and one before a bare node:http, which is what TLS is compared with.
 */
import type { Composed } from './composed.ts';

export const FILE = 'tls-gateways.yml';

/** Answers as mcp-server does, and checks nothing. */
const answer = `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"The sum of 1 and 2 is 3"}]}}`;
const bare = `
  const headers = { 'Content-Type': 'application/json', 'Content-Length': ${answer.length} };
  require('node:http').createServer((request, response) => {
    if (request.url === '/accepting') return response.writeHead(204).end();
    request.on('end', () => response.writeHead(200, headers).end('${answer}')).resume();
  }).listen(8080);
`;

const gateway = (network: string) => ({
  // biome-ignore lint/suspicious/noTemplateCurlyInString: compose replaces it.
  image: '${HAPROXY_IMAGE:-haproxy:3.0}',
  command: ['sh', '/usr/local/etc/haproxy/tls/start.sh'],
  environment: { PUBLIC_URL: 'https://localhost', CERTIFICATE: '/run/certificate/site.pem' },
  volumes: [
    './deploy/gateway/haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro',
    './deploy/gateway/tls:/usr/local/etc/haproxy/tls:ro',
    './certificate:/run/certificate:ro',
  ],
  tmpfs: ['/run/gateway:uid=99,gid=99,mode=700'],
  networks: [network],
});

const services = {
  'gateway-tls': gateway('front'),
  'gateway-bare': gateway('bare'),
  bare: {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compose replaces it.
    image: '${NODE_IMAGE:-node:24-slim}',
    command: ['node', '-e', bare],
    networks: { bare: { aliases: ['mcp-server'] } },
  },
};

/** Writes the file, and a certificate that everybody in the containers can read. */
export async function writeTlsGateways(composed: Composed): Promise<void> {
  composed.write(FILE, JSON.stringify({ services, networks: { bare: {} } }));
  const make = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=Acme';
  await composed.sh(
    `mkdir certificate; ${make} -addext subjectAltName=DNS:localhost -keyout key.pem -out certificate/site.pem`,
  );
  await composed.sh('cat key.pem >> certificate/site.pem; chmod -R a+rX certificate');
}
