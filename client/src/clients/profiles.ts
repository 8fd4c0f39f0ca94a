/**
 * Owns the profiles of MCP clients that the doctor can imitate: user agent and registration. A test compares the registrations with
 * the recordings in test/clients.
 */

export interface ClientProfile {
  readonly name: string;
  /** Absent: the client sends none. */
  readonly userAgent?: string;
  /** Where the user agent was read. */
  readonly source?: string;
  /** The client is a web page, so that CORS decides what it can read. */
  readonly page?: true;
  /** The file and the flow of the recording of its registration. */
  readonly recording?: { readonly file: string; readonly flow: string };
  /** What it sends to the registration endpoint (RFC 7591). */
  readonly registration?: Readonly<Record<string, unknown>>;
}

/** The doctor itself: includes the steps that only some clients need. */
export const DOCTOR: ClientProfile = { name: 'mcp-oauth-doctor', userAgent: 'mcp-oauth-doctor', page: true };

/** The same where no web page is meant to call the server. */
export const PROGRAM: ClientProfile = { name: DOCTOR.name, userAgent: DOCTOR.name };

const LOOPBACK = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
} as const;

/** By the value of `--as`. */
export const PROFILES: Readonly<Record<string, ClientProfile>> = {
  cursor: {
    name: 'Cursor',
    userAgent: 'Cursor/2.2.23 (darwin arm64)',
    source: 'requests as servers logged them, November 2026',
    recording: { file: 'cursor', flow: 'desktop, by loopback' },
    registration: {
      client_name: 'Cursor',
      redirect_uris: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
      ...LOOPBACK,
      client_uri: '',
    },
  },
  vscode: {
    name: 'Visual Studio Code',
    userAgent: 'Visual Studio Code/1.107.1',
    source: 'https://github.com/microsoft/vscode/pull/277269',
    recording: { file: 'vs-code', flow: 'desktop, on another port, all grants that it knows' },
    registration: {
      client_name: 'Visual Studio Code',
      client_uri: 'https://code.visualstudio.com',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
  },
  claude: {
    name: 'Claude',
    userAgent: 'Claude-User',
    source: 'https://github.com/anthropics/claude-ai-mcp/issues/49',
    recording: { file: 'claude-ai', flow: 'registered, with a secret in the body' },
    registration: {
      client_name: 'Claude',
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'claudeai',
    },
  },
  chatgpt: {
    name: 'ChatGPT',
    userAgent: 'openai-mcp/1.0.0 (ChatGPT)',
    source: 'requests as servers logged them, 2026-05-04',
    recording: { file: 'chatgpt', flow: 'registered, one address for each connector' },
    registration: {
      client_name: 'ChatGPT',
      redirect_uris: ['https://chatgpt.com/connector/oauth/OUbdUMlL15Ct'],
      ...LOOPBACK,
    },
  },
  codex: {
    // Its OAuth discovery sends no user agent.
    name: 'Codex',
    source: 'https://github.com/openai/codex/issues/12859',
    recording: { file: 'codex', flow: 'registered' },
    registration: {
      client_name: 'Codex',
      redirect_uris: ['http://127.0.0.1:37819/callback/6MFBM1In3Ey-'],
      ...LOOPBACK,
      application_type: 'native',
    },
  },
};

/** User agents that firewalls treat differently: those of clients and of their HTTP libraries, and none at all. */
export const USER_AGENTS: readonly (readonly [who: string, userAgent: string | undefined])[] = [
  ...Object.values(PROFILES).map(({ name, userAgent }) => [name, userAgent] as const),
  ['Claude Code', 'claude-code/2.1.204 (cli)'],
  ['the Python SDK, and the registration of Claude', 'python-httpx/0.28.1'],
  ['the TypeScript SDK', 'node'],
  ['a browser', 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'],
];
