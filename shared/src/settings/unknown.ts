/**
 * Ensures that environment variables that look like settings but are not are reported: a mistyped `REGISTRATON=off` would
 * otherwise leave the registration open.
 */
import { editDistance, nearest } from '../text/nearest.ts';
import type { Environment, Problem } from './config.ts';
import { familyPrefix, idsIn } from './family.ts';
import { isOfIssuer, strayVariable } from './issuer-variables.ts';
import { COMPOSE_NAMES, SETTING_NAMES } from './names.ts';

/** The setting that names variables that look like settings but belong to something else. */
export const FOREIGN_VARIABLES = 'FOREIGN_VARIABLES';

/** A typo in one of these does no harm; any other setting may protect the server. */
const HARMLESS = new Set(
  `PORT HOST SERVER_NAME LOG_LEVEL SHUTDOWN_TIMEOUT SHUTDOWN_LINGER METRICS_PORT HTTPS_PROXY NO_PROXY ISSUER_INTERNAL_URL TOOLS_DIR
  SERVER_INSTRUCTIONS STREAM_EVENTS REDIS_START_TIMEOUT KEY_LEAD KEY_POLL DOCUMENT_LIFETIME DATA_DIR DEVELOPMENT_IDP_URL CLIENT_METADATA_COPIES`.split(
    /\s+/,
  ),
);
/** Shorter names differ from too many unrelated variables by a letter or two. */
const SHORTEST = 6;
const CLOSE = 2;

/** First words of settings with which many unrelated variables begin as well. */
const COMMON_WORDS = new Set(['BASE', 'HOST', 'PORT', 'NODE', 'HTTPS', 'NO', 'LOG']);
/** Variables that operating systems set and that begin like a setting, in upper case; those of proxies exist in lower case as well. */
const OF_SYSTEMS = new Set(['SESSION_MANAGER', 'DATA_HOME', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY']);

/** Variables that Kubernetes sets in a pod for every Service, such as REDIS_SERVICE_HOST and REDIS_PORT=tcp://10.0.0.1:6379. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
const LINK_VALUE = /^(tcp|udp|sctp):\/\//;

const PREDECESSORS: Readonly<Record<string, string>> = {
  GITHUB_CLIENT_ID: 'set CONNECTORS=github and CONNECTOR_GITHUB_CLIENT_ID',
  GITHUB_CLIENT_SECRET: 'set CONNECTORS=github and CONNECTOR_GITHUB_CLIENT_SECRET',
  OIDC_CLIENT_ID: 'set CONNECTORS=oidc and CONNECTOR_OIDC_CLIENT_ID',
  OIDC_CLIENT_SECRET: 'set CONNECTORS=oidc and CONNECTOR_OIDC_CLIENT_SECRET',
  OIDC_AUTH_URL: 'set CONNECTORS=oidc and CONNECTOR_OIDC_ISSUER; its endpoints are found by discovery',
  OIDC_TOKEN_URL: 'set CONNECTORS=oidc and CONNECTOR_OIDC_ISSUER; its endpoints are found by discovery',
  OIDC_USER_URL: 'set CONNECTORS=oidc and CONNECTOR_OIDC_ISSUER; its endpoints are found by discovery',
  OIDC_SCOPES: 'set CONNECTORS=oidc and CONNECTOR_OIDC_SCOPES',
  SERVER_URL: 'set PUBLIC_URL for mcp-server and ISSUER for auth-server',
};

export interface UnknownSettings {
  /** Reasons for which production does not start. */
  readonly problems: readonly Problem[];
  /** Warnings for the operator. */
  readonly warnings: readonly Problem[];
}

export function unknownSettings(env: Environment): UnknownSettings {
  const isProduction = env.NODE_ENV?.trim() === 'production';
  const foreign = new Set((env[FOREIGN_VARIABLES] ?? '').split(/[\s,]+/));
  const [problems, warnings]: [Problem[], Problem[]] = [[], []];
  for (const [name, value] of Object.entries(env).sort()) {
    if (!value || KNOWN.has(name) || foreign.has(name) || isSetBySomethingElse(name, value)) continue;
    if (isOfIssuer(name, env) || isOfFamily(name, env)) continue;
    // The setting is also set under its correct name.
    if (env[written(name)] && name !== written(name)) continue;
    const predecessor = PREDECESSORS[name];
    const protecting = near(name, PROTECTING);
    const stray = strayVariable(written(name), env);
    if (stray) {
      const message = `${stray.what}${hint(stray.meant)}`;
      if (stray.protects && isProduction) problems.push({ env: name, message: `${message}; it ${MAY_PROTECT}` });
      else warnings.push({ env: name, message });
    } else if (predecessor) warnings.push({ env: name, message: `is not a setting; ${predecessor}` });
    else if (protecting && isProduction) {
      problems.push({ env: name, message: `is not a setting, but looks like ${protecting}, which ${MAY_PROTECT}` });
    } else if (protecting || looksLikeOurs(name, env)) {
      warnings.push({ env: name, message: `${whatItIs(name)}${hint(meantBy(name, env))}` });
    }
  }
  return { problems, warnings };
}

/** Settings that list ids, and the first words of the variables that each id has. The service that reads them reports problems. */
const FAMILIES = {
  ENTERPRISE_ISSUERS: 'ENTERPRISE_ISSUER',
  WORKLOAD_ISSUERS: 'WORKLOAD_ISSUER',
  UPSTREAMS: 'UPSTREAM',
} as const;

const isOfFamily = (name: string, env: Environment): boolean =>
  Object.entries(FAMILIES).some(
    ([list, word]) =>
      // If the list can't be read, no variable of its family is judged.
      idsIn(env[list])?.some((id) => name.startsWith(familyPrefix(word, id))) ?? name.startsWith(`${word}_`),
  );

const MAY_PROTECT = `may protect the server; correct it, or name it in ${FOREIGN_VARIABLES} if it belongs to something else`;

function whatItIs(name: string): string {
  if (name.startsWith('CONNECTOR_')) return 'is for a connector that CONNECTORS does not name';
  return UPSTREAM_MEMBER.test(name) ? 'is for an upstream that UPSTREAMS does not name' : 'is not a setting';
}

/** A setting that each upstream of mcp-server has. */
const UPSTREAM_MEMBER = /^UPSTREAM_\w+_(?:URL|MORE_HOSTS|AUDIENCE|RESOURCE|SCOPES)$/;

const KNOWN: ReadonlySet<string> = new Set([...SETTING_NAMES, ...COMPOSE_NAMES]);
const PROTECTING = SETTING_NAMES.filter((name) => !HARMLESS.has(name.replace(/_FILE$/, '')));
const WORDS = new Set(SETTING_NAMES.map((name) => firstWord(name)).filter((word) => !COMMON_WORDS.has(word)));

const isSetBySomethingElse = (name: string, value: string): boolean =>
  OF_SYSTEMS.has(name.toUpperCase()) || SERVICE_LINK.test(name) || (name.endsWith('_PORT') && LINK_VALUE.test(value));

/** The name in the spelling of settings: in upper case, with underscores. */
const written = (name: string): string =>
  name
    .trim()
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_');

function firstWord(name: string): string {
  return name.split('_')[0] ?? '';
}

function near(name: string, known: readonly string[]): string | undefined {
  const candidates = known.filter((one) => one.length >= SHORTEST && editDistance(written(name), one, CLOSE) <= CLOSE);
  return nearest(written(name), candidates);
}

function looksLikeOurs(name: string, env: Environment): boolean {
  if (name.startsWith('CONNECTOR_')) return !prefixesOf(env).some((prefix) => name.startsWith(prefix));
  const upper = written(name);
  if (upper !== name && KNOWN.has(upper)) return upper.length >= SHORTEST;
  if (/[a-z]/.test(name)) return false;
  return (
    near(name, SETTING_NAMES) !== undefined ||
    near(`${firstWord(upper)}_`, ['CONNECTOR_']) !== undefined ||
    hasOurWord(upper)
  );
}

const hasOurWord = (name: string): boolean => name.includes('_') && WORDS.has(firstWord(name));

/** Prefixes of the configured connectors: their own code reports problems with their settings. */
const prefixesOf = ({ CONNECTORS }: Environment): readonly string[] =>
  ['development', ...(CONNECTORS ?? '').split(/[\s,]+/).filter(Boolean)].map((id) => `CONNECTOR_${written(id)}_`);

function meantBy(name: string, env: Environment): string | undefined {
  const upper = written(name);
  const [word = '', ...members] = upper.split('_');
  if (members.length > 1 && editDistance(word, 'CONNECTOR', CLOSE) <= CLOSE) {
    if (word !== 'CONNECTOR') return ['CONNECTOR', ...members].join('_');
    const [first] = prefixesOf({ CONNECTORS: env.CONNECTORS || undefined }).slice(1);
    return first && nearest(upper, [`${first}${members.slice(1).join('_')}`]);
  }
  return (
    nearest(upper, SETTING_NAMES) ??
    SETTING_NAMES.find((known) => upper.startsWith(`${known}_`) || known.startsWith(`${upper}_`))
  );
}

const hint = (meant: string | undefined): string => (meant ? `; did you mean ${meant}?` : '');
