/** Owns the parts that `npm start` runs: their environments, and the check that their ports differ. */

export interface Part {
  readonly name: 'mcp-server' | 'auth-server' | 'development-idp';
  readonly color: 'cyan' | 'magenta' | 'yellow';
  readonly env: NodeJS.ProcessEnv;
}

export interface Parts {
  readonly parts: readonly Part[];
  readonly publicUrl: string;
  readonly usesDevelopmentIdp: boolean;
  /** Why they cannot run together; one line each. */
  readonly problems: readonly string[];
}

export function partsOf(given: NodeJS.ProcessEnv): Parts {
  const { PORT: port, METRICS_PORT: metrics, ...environment } = given;
  // PORT applies to one process: the one to which clients connect.
  const publicUrl = environment.PUBLIC_URL || `http://localhost:${port || 8080}`;
  const connectors = environment.CONNECTORS || 'development';
  const env: NodeJS.ProcessEnv = { RESOURCES: publicUrl, ...environment, PUBLIC_URL: publicUrl };
  const usesDevelopmentIdp = connectors.split(/[\s,]+/).includes('development') && env.NODE_ENV !== 'production';
  const parts: readonly Part[] = [
    {
      name: 'mcp-server',
      color: 'cyan',
      env: { ...env, ...(port && { PORT: port }), ...(metrics && { METRICS_PORT: metrics }) },
    },
    { name: 'auth-server', color: 'magenta', env: { ...env, ...(metrics && { METRICS_PORT: neighbour(metrics) }) } },
    ...(usesDevelopmentIdp ? [{ name: 'development-idp', color: 'yellow', env } as const] : []),
  ];
  return { parts, publicUrl, usesDevelopmentIdp, problems: conflicts(parts) };
}

/** Two processes cannot share a port: the metrics port of auth-server is one above that of mcp-server. */
function neighbour(port: string): string {
  const number = Number(port.trim());
  if (!/^\d+$/.test(port.trim()) || number === 0 || number > 65_535) return port;
  return String(number === 65_535 ? number - 1 : number + 1);
}

interface Claim {
  readonly setting: string;
  readonly port: number;
  readonly of: string;
}

const URL_OF = {
  'mcp-server': ['PUBLIC_URL', 8_080],
  'auth-server': ['ISSUER', 9_000],
  'development-idp': ['DEVELOPMENT_IDP_URL', 9_001],
} as const;

function claimsOf({ name, env }: Part): Claim[] {
  const [setting, fallback] = URL_OF[name];
  const ofUrl = env[setting] ? Number(URL.parse(env[setting])?.port ?? 0) : fallback;
  const own = env.PORT
    ? { setting: 'PORT', port: Number(env.PORT), of: name }
    : { setting, port: ofUrl || fallback, of: name };
  const metrics = { setting: 'METRICS_PORT', port: Number(env.METRICS_PORT ?? 0), of: `the metrics of ${name}` };
  return [own, metrics].filter(({ port }) => port > 0);
}

/** Otherwise the second process would report that "another program" uses its port. */
function conflicts(parts: readonly Part[]): string[] {
  const claims = parts.flatMap(claimsOf);
  return claims.flatMap((second, index) => {
    const first = claims.slice(0, index).find(({ port }) => port === second.port);
    if (!first) return [];
    return [
      `${second.setting}: port ${second.port} is for ${second.of}, but ${first.setting} uses it for ${first.of}; choose another port for one of them`,
    ];
  });
}
