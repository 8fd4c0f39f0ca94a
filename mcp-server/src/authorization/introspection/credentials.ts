/** Owns how this server authenticates to the introspection endpoint (RFC 7662 §2.1, RFC 6749 §2.3.1). */

export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly method: 'client_secret_basic' | 'client_secret_post';
}

interface Authenticated {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: URLSearchParams;
}

export function withCredentials(
  { clientId, clientSecret, method }: Credentials,
  parameters: Readonly<Record<string, string>>,
): Authenticated {
  if (method === 'client_secret_post') {
    const form = new URLSearchParams({ ...parameters, client_id: clientId, client_secret: clientSecret });
    return { headers: {}, form };
  }
  const basic = Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64');
  return { headers: { authorization: `Basic ${basic}` }, form: new URLSearchParams(parameters) };
}

const formEncoded = (value: string): string => new URLSearchParams([['', value]]).toString().slice('='.length);
