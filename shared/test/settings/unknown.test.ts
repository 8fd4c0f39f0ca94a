/** Proves which environment variables are reported as mistyped settings, and which are ignored. */
import { SETTING_NAMES } from '@mcp-oauth/shared/settings/names';
import { unknownSettings } from '@mcp-oauth/shared/settings/unknown';
import { describe, expect, it } from 'vitest';

const said = (env: Record<string, string>) =>
  unknownSettings(env).warnings.map(({ env: name, message }) => `${name} ${message}`);
const production = (env: Record<string, string>) => unknownSettings({ ...env, NODE_ENV: 'production' });

describe('a variable that is not a setting', () => {
  it.each([
    ['REGISTRATON', 'REGISTRATION'],
    ['REGISTRAITON', 'REGISTRATION'],
    ['REGISTRATIONS', 'REGISTRATION'],
    ['registration', 'REGISTRATION'],
    ['Dpop_Required', 'DPOP_REQUIRED'],
    ['DPOP-REQUIRED', 'DPOP_REQUIRED'],
    ['ISUER', 'ISSUER'],
    ['ALOWED_HOSTS', 'ALLOWED_HOSTS'],
    ['STORAGE_KEY', 'STORAGE_KEYS'],
    ['SESSION_IDLE_TIME_OUT', 'SESSION_IDLE_TIMEOUT'],
    ['ISSUER_FILE', 'ISSUER'],
    ['CONNECTOR', 'CONNECTORS'],
    ['CONECTOR_ACME_CLIENT_ID', 'CONNECTOR_ACME_CLIENT_ID'],
    ['TOOL_DIR', 'TOOLS_DIR'],
  ])('%s is reported with the nearest setting: %s', (name, meant) => {
    expect(said({ [name]: 'x' })).toEqual([`${name} is not a setting; did you mean ${meant}?`]);
  });

  it.each(['REGISTRATION_MODE', 'TOKEN_LIFETIME_IN_MINUTES', 'CLIENT_SOMETHING_ELSE'])(
    '%s begins like a setting and is reported',
    (name) => {
      expect(said({ [name]: 'x' })).toEqual([expect.stringMatching(new RegExp(`^${name} is not a setting`))]);
    },
  );

  it('a variable of a configured connector is left to that connector; one of an unknown connector is reported', () => {
    expect(said({ CONNECTORS: 'acme, acme-eu', CONNECTOR_ACME_X: '1', CONNECTOR_ACME_EU_Y: '1' })).toEqual([]);
    expect(said({ CONNECTOR_DEVELOPMENT_INTERNAL_URL: '1' })).toEqual([]);
    expect(said({ CONNECTOR_ACME_CLIENT_ID: '1' })).toEqual([
      'CONNECTOR_ACME_CLIENT_ID is for a connector that CONNECTORS does not name',
    ]);
    expect(said({ CONNECTORS: 'acme', CONNECTOR_ACNE_CLIENT_ID: '1' })).toEqual([
      'CONNECTOR_ACNE_CLIENT_ID is for a connector that CONNECTORS does not name; did you mean CONNECTOR_ACME_CLIENT_ID?',
    ]);
  });

  it('a name in small letters is reported unless the setting itself is set', () => {
    expect(said({ redis_url: 'x' })).toEqual(['redis_url is not a setting; did you mean REDIS_URL?']);
    expect(said({ redis_url: 'x', REDIS_URL: 'x' })).toEqual([]);
  });

  it('a setting of a predecessor is answered with the setting that replaces it', () => {
    const names = ['GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OIDC_AUTH_URL'];
    for (const name of [...names, 'OIDC_TOKEN_URL', 'OIDC_USER_URL', 'OIDC_SCOPES', 'SERVER_URL']) {
      expect(said({ [name]: 'x' }), name).toEqual([expect.stringMatching(/ is not a setting; set [A-Z]/)]);
    }
  });

  it.each([
    ...['PATH', 'HOME', 'HOSTNAME', 'LOGNAME', 'TERM_SESSION_ID', 'SESSION_MANAGER', 'PWD', 'USER', 'TZ', 'LANG'],
    ...[
      'NODE_OPTIONS',
      'NODE_VERSION',
      'NODE_EXTRA_CA_CERTS',
      'YARN_VERSION',
      'npm_config_registry',
      'CI',
      'GITHUB_TOKEN',
    ],
    ...[
      'HTTP_PROXY',
      'http_proxy',
      'https_proxy',
      'no_proxy',
      'HTTP_PORT',
      'SECRETS_DIR',
      'REDIS_USERS',
      'HOSTS',
      'MAIL',
    ],
    ...[
      'REDIS_SERVICE_HOST',
      'REDIS_SERVICE_PORT',
      'REDIS_SERVICE_PORT_REDIS',
      'REDIS_PORT_6379_TCP',
      'KUBERNETES_PORT',
    ],
    ...[
      'REDIS_PORT_6379_TCP_ADDR',
      'AUTH_SERVER_SERVICE_HOST',
      'STORAGE_KEYS_FILE',
      'NODE_AUTH_TOKEN',
      'XDG_SESSION_ID',
    ],
  ])('the foreign variable %s is ignored', (name) => {
    expect(unknownSettings({ [name]: 'x', NODE_ENV: 'production' })).toEqual({ problems: [], warnings: [] });
  });

  it('a variable of a Kubernetes Service is recognized by its value, and an empty variable is ignored', () => {
    expect(said({ REDIS_PORT: 'tcp://10.0.0.1:6379', AUTH_SERVER_PORT: 'tcp://10.0.0.2:80', REGISTRATON: '' })).toEqual(
      [],
    );
    expect(said({ REDIS_PORT: '6379' })).toHaveLength(1);
  });
});

describe('variables of several issuers', () => {
  it('a variable of an issuer that ISSUERS names is left to mcp-server, any other is reported', () => {
    const env = { ISSUERS: 'corp, ci-jobs', ISSUER_CORP_URL: 'x', ISSUER_CI_JOBS_PRESET: 'x', ISSUER_X_PRESET: 'x' };
    expect(unknownSettings(env).warnings).toEqual([
      { env: 'ISSUER_X_PRESET', message: expect.stringMatching(/^is for an issuer that ISSUERS does not name/) },
    ]);
    const json = { ISSUERS: '{"corp": {"URL": "https://x.example"}}', ISSUER_CORP_INTROSPECTION_CLIENT_SECRET: 'x' };
    expect(unknownSettings(json)).toEqual({ problems: [], warnings: [] });
    expect(unknownSettings({ ...json, ISSUERS: '{"corp": ' }), 'mcp-server reports ISSUERS').toMatchObject({
      warnings: [],
    });
  });

  it.each([
    ['ISSUER_COPR_TOKEN_REQUIRED_CLAIMS', 'corp', 'ISSUER_CORP_TOKEN_REQUIRED_CLAIMS'],
    [
      'ISSUER_COPR_TOKEN_REQUIRED_CLAIMS',
      '{"corp": {"URL": "https://x.example"}}',
      'ISSUER_CORP_TOKEN_REQUIRED_CLAIMS',
    ],
    ['issuer_corp_audiences', 'corp', 'ISSUER_CORP_AUDIENCES'],
    ['ISSUER_AUDIENCES', 'corp', 'ISSUER_CORP_AUDIENCES'],
    ['ISSUER_TOKEN_REQUIRED_CLAIMS', '', 'TOKEN_REQUIRED_CLAIMS'],
  ])('%s, where ISSUERS is %s, may be a mistyped rule: production does not start', (name, ISSUERS, meant) => {
    expect(said({ ISSUERS, [name]: 'x' })).toEqual([expect.stringContaining(`did you mean ${meant}?`)]);
    const { problems } = production({ ISSUERS, [name]: 'x' });
    expect(problems).toEqual([
      { env: name, message: expect.stringContaining(`did you mean ${meant}?; it may protect`) },
    ]);
    expect(production({ ISSUERS, [name]: 'x', FOREIGN_VARIABLES: name }).problems).toEqual([]);
  });

  it('an issuer that was taken out of ISSUERS may keep its variables', () => {
    const others = { ISSUER_CI_PRESET: 'github-actions', ISSUER_CI_TOKEN_REQUIRED_CLAIMS: 'repository_owner_id=65' };
    const { problems, warnings } = production({ ISSUERS: 'corp', ISSUER_CORP_URL: 'x', ...others });
    expect([problems, warnings.map(({ env }) => env)]).toEqual([[], Object.keys(others)]);
  });
});

describe('unknown variables in production', () => {
  it('a variable within two letters of a protecting setting is a problem, any other unknown one a warning', () => {
    const { problems, warnings } = production({
      REGISTRATON: 'off',
      AUDIENCE: 'x',
      LOG_LEVL: 'debug',
      REDIS_ADDRESS: 'x',
    });
    expect(problems.map(({ env, message }) => `${env} ${message}`)).toEqual([
      'AUDIENCE is not a setting, but looks like AUDIENCES, which may protect the server; correct it, or name it in FOREIGN_VARIABLES if it belongs to something else',
      'REGISTRATON is not a setting, but looks like REGISTRATION, which may protect the server; correct it, or name it in FOREIGN_VARIABLES if it belongs to something else',
    ]);
    expect(warnings.map(({ env }) => env)).toEqual(['LOG_LEVL', 'REDIS_ADDRESS']);
  });

  it('FOREIGN_VARIABLES names the variables that are meant for other programs', () => {
    const env = { REGISTRATON: 'off', REDIS_ADDRESS: 'x', FOREIGN_VARIABLES: 'REGISTRATON, REDIS_ADDRESS' };
    expect(production(env)).toEqual({ problems: [], warnings: [] });
  });

  it('every missing, doubled or swapped letter in the name of a protecting setting is noticed', () => {
    const protecting = [
      'REGISTRATION',
      'STORAGE_KEYS',
      'AUDIENCES',
      'ALLOWED_ORIGINS',
      'TRUSTED_PROXIES',
      'DPOP_REQUIRED',
    ];
    for (const name of protecting) {
      for (let at = 0; at < name.length; at += 1) {
        const [head, letter, tail] = [name.slice(0, at), name[at] ?? '', name.slice(at + 1)];
        const swapped = head + (tail[0] ?? '') + letter + tail.slice(1);
        for (const typed of [head + tail, head + letter + letter + tail, swapped]) {
          if (SETTING_NAMES.includes(typed)) continue;
          expect(production({ [typed]: 'x' }).problems, typed).toHaveLength(1);
        }
      }
    }
  });
});

it('the variables of an issuer that a list names belong to it, and those of another id are reported', () => {
  const env = { ENTERPRISE_ISSUERS: 'okta,acme-eu', WORKLOAD_ISSUERS: 'ci' };
  const known = { ENTERPRISE_ISSUER_ACME_EU_SCOPES: 'x', WORKLOAD_ISSUER_CI_RULES: 'y' };
  expect(unknownSettings({ ...env, ...known })).toEqual({ problems: [], warnings: [] });
  const { warnings } = unknownSettings({ ...env, ENTERPRISE_ISSUER_OTHER_SCOPES: 'x' });
  expect(warnings).toMatchObject([{ env: 'ENTERPRISE_ISSUER_OTHER_SCOPES' }]);
});
