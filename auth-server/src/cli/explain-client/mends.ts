/** Owns what to change for each check that fails, and whose turn it is. The server says what is wrong; this says who can mend it. */
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { KnownClient } from '../../compose/in-process/server.ts';
import type { Config } from '../../config.ts';
import type { Mend } from './check.ts';
import { mendDocument } from './document-mends.ts';
import type { Group } from './request.ts';
import type { Refused } from './verdict.ts';

const client = (mend: string, setting?: string): Mend => ({ turn: 'client', mend, setting });
const operator = (setting: string, mend: string): Mend => ({ turn: 'operator', mend, setting });

const ADD_CLIENT = 'add the client with `clients add`';

export function mendRegistration({ registration }: Config): Mend {
  if (registration === 'off') {
    return operator(
      'REGISTRATION',
      `Set REGISTRATION to open or token, or ${ADD_CLIENT}. The metadata was not checked.`,
    );
  }
  return client('Correct the registration as the reason says.');
}

/** @param id absent: the request names no client */
export function mendUnknownClient(id: string | undefined, { document }: Refused, config: Config): Mend {
  if (!id) return client('Send client_id.');
  if (document) return mendDocument(document, id, config);
  if (URL.canParse(id)) {
    return config.clientMetadata
      ? client('Use the https URL of a client metadata document as client id, or the id of a registration.')
      : operator('CLIENT_METADATA', `Set CLIENT_METADATA to true, or ${ADD_CLIENT}.`);
  }
  if (config.registration !== 'open') {
    return operator('REGISTRATION', `Registration is ${config.registration}: ${ADD_CLIENT}, or change REGISTRATION.`);
  }
  return client(
    'Register again: a registration is forgotten a day after it was made unless somebody approves it, and CLIENT_LIFETIME after the last use of an approval. Is this the id of another server or store?',
    'CLIENT_LIFETIME',
  );
}

/** @param count how often the request has the parameter */
export function mendRedirectUri(count: number, kind: KnownClient['kind'] | undefined, id: string): Mend {
  if (count !== 1) return client('Send redirect_uri once.');
  if (kind === 'operator') {
    return operator(
      'CLIENTS',
      'Add this redirect URI to the client in CLIENTS; a client of `clients add` is added anew.',
    );
  }
  if (kind === 'document') return client(`Add this redirect URI to redirect_uris in ${id}, or send one that is there.`);
  return client('Send a redirect URI that is registered, character by character, or register again with this one.');
}

/** A request that the metadata of the client does not permit, whatever else it says. */
export const mendFlow = (kind: KnownClient['kind'] | undefined): Mend =>
  client(
    'Send the request as the reason says, or change the metadata of the client.',
    kind === 'operator' ? 'CLIENTS' : undefined,
  );

/** @param one whether a single value was refused, and not the combination of several */
export function mendResource(one: boolean): Mend {
  if (!one) return client('Send one resource in each request.');
  return operator(
    'RESOURCES',
    'If this MCP server belongs here, add its PUBLIC_URL to RESOURCES. If not, the client has to send the expected resource: it takes it from the metadata of the MCP server.',
  );
}

export const mendScope = (known: KnownClient | undefined): Mend =>
  known?.kind === 'operator' && known.metadata.scope !== undefined
    ? operator(
        'CLIENTS',
        'Add the scope to `scope` of the client in CLIENTS, or let the client ask for a possible one.',
      )
    : client(
        'Ask for a scope that is possible. If this one should exist, the operator adds it to the MCP server, or to `scopes` in RESOURCES.',
        'RESOURCES',
      );

/** Members of the metadata of this server (RFC 8414 §2) that tell what it accepts. */
const OFFERED: Readonly<Partial<Record<Group['check'], readonly string[]>>> = {
  'response type': ['response_types_supported', 'response_modes_supported'],
  PKCE: ['code_challenge_methods_supported'],
};

const GROUP: Readonly<Record<Group['check'], string>> = {
  'response type': 'Send a response_type and a response_mode that the metadata of this server names.',
  PKCE: 'Send code_challenge and code_challenge_method for each request: BASE64URL(SHA256(code_verifier)) and S256 (RFC 7636 §4.2).',
  'request object': 'Send the parameters themselves, or push them first (RFC 9126).',
  DPoP: 'Send the SHA-256 thumbprint of the public key (RFC 9449 §10).',
  'other parameters': 'Correct or leave out the parameter that the reason names.',
};

/** @param check absent: the request as a whole */
export const mendGroup = (check?: Group['check']): Mend =>
  client(check ? GROUP[check] : 'Correct what the reason names: each part of the request by itself is accepted.');

/** What the metadata says about a group of parameters. */
export const offered = (check: Group['check'], metadata: JsonObject): string | undefined =>
  OFFERED[check]?.map((name) => `${name} ${[metadata[name]].flat().join(' ')}`).join(', ');
