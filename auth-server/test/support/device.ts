/** Owns a device in a test (RFC 8628): its registration, its code, its polls, and the person who enters the code in a browser. */
import { Browser } from './browser.ts';
import { NATIVE, register, type TestClient } from './client.ts';
import { form, type RunningServer, read, startServer } from './running-server.ts';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const ON = { DEVICE_AUTHORIZATION: 'on' };

type Answer = Readonly<Record<string, unknown>>;
type Parameters = Readonly<Record<string, string>>;

type Options = NonNullable<globalThis.Parameters<typeof startServer>[0]>;

export const startWithDevices = (options: Options = {}) => startServer({ ...options, env: { ...ON, ...options.env } });

export const registerDevice = (server: RunningServer, metadata: object = {}): Promise<TestClient> =>
  register(server, NATIVE, {
    grant_types: [DEVICE_GRANT, 'refresh_token'],
    response_types: [],
    application_type: 'native',
    client_name: 'Terminal',
    ...metadata,
  });

export interface Codes {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
}

export const askForCodes = (server: RunningServer, { id }: TestClient, parameters: Parameters = {}) =>
  server.fetch('/device_authorization', form({ client_id: id, ...parameters }));

export const codesFor = async (server: RunningServer, client: TestClient, parameters: Parameters = {}) => {
  const response = await askForCodes(server, client, parameters);
  if (response.status !== 200) throw new Error(`no device code: ${await response.text()}`);
  return (await response.json()) as Codes;
};

export const poll = async (
  server: RunningServer,
  { id }: TestClient,
  { device_code }: Pick<Codes, 'device_code'>,
  parameters: Parameters = {},
  headers: Parameters = {},
): Promise<{ readonly status: number; readonly json: Answer }> => {
  const sent = form({ grant_type: DEVICE_GRANT, client_id: id, device_code, ...parameters });
  const response = await server.fetch('/token', { ...sent, headers });
  return { status: response.status, json: await read(response) };
};

/** The page at /device, and the fields of its form. */
export interface DevicePage {
  readonly status: number;
  readonly markup: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly response: Response;
}

export async function pageOf(response: Response | undefined): Promise<DevicePage> {
  if (!response) throw new Error('no page');
  const markup = await response.clone().text();
  const fields = Object.fromEntries(
    [...markup.matchAll(/<input[^>]* name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  return { status: response.status, markup, fields, response };
}

/** A person who enters a code, up to the sign-in page. */
export class Visitor {
  readonly browser: Browser;

  constructor(server: RunningServer) {
    this.browser = new Browser(server);
  }

  async open(target = '/device'): Promise<DevicePage> {
    return pageOf((await this.browser.follow(target)).page);
  }

  async send(fields: Parameters, headers: Parameters = {}): Promise<DevicePage> {
    return pageOf((await this.browser.follow('/device', { ...form(fields), headers })).page);
  }

  /** Enters the code; the answer is the page to compare it. */
  async enter(code: string): Promise<DevicePage> {
    const { fields } = await this.open();
    return this.send({ xsrf: fields.xsrf ?? '', user_code: code });
  }

  /** Enters and confirms the code; the answer is the sign-in page. */
  async confirm(code: string): Promise<DevicePage> {
    const { fields } = await this.enter(code);
    return this.send({ xsrf: fields.xsrf ?? '', user_code: fields.user_code ?? '', confirm: 'yes' });
  }

  /** Everything to the last page. */
  async approve(code: string, person = 'alice'): Promise<DevicePage> {
    const { response } = await this.confirm(code);
    return pageOf((await this.browser.signIn(response, person)).page);
  }
}
