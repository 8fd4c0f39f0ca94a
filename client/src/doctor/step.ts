/**
 * Owns the types of a step of the doctor: it observes, and a pure function judges the observation. What the step has learned is
 * passed to the following steps.
 */
import type { ClientProfile } from '../clients/profiles.ts';
import type { SignInOptions } from '../sign-in/sign-in.ts';
import type { Ask } from './network/ask.ts';
import type { Connections } from './network/connection.ts';
import type { Listen } from './network/listen.ts';
import type { ProbeResponse } from './network/request.ts';

/** Who can fix a fault. */
export type Responsible = 'mcp-server' | 'authorization-server' | 'network' | 'user';

/** A fault stops at least some clients. A note stops none, or is probably intended. */
export type Outcome = 'passed' | 'note' | 'fault' | 'not-tried';

export interface Verdict {
  readonly outcome: Outcome;
  /** What was seen, as one or two sentences. */
  readonly says: string;
  /** What to change; present for a fault. */
  readonly fix?: string;
  readonly responsible?: Responsible;
  /** For the steps that follow, also after a fault. */
  readonly learned?: Partial<Known>;
}

export const passed = (says: string, learned: Partial<Known> = {}): Verdict => ({ outcome: 'passed', says, learned });

export const note = (says: string, learned: Partial<Known> = {}): Verdict => ({ outcome: 'note', says, learned });

export const notTried = (says: string): Verdict => ({ outcome: 'not-tried', says });

export const fault = (responsible: Responsible, says: string, fix: string, learned: Partial<Known> = {}): Verdict => ({
  outcome: 'fault',
  responsible,
  says,
  fix,
  learned,
});

export type Document = Readonly<Record<string, unknown>>;

/** One challenge of `WWW-Authenticate`. */
export interface Challenge {
  readonly scheme: string;
  /** By names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** A property of a token because of which a server may refuse it. */
export interface Objection {
  readonly says: string;
  readonly responsible: Responsible;
  readonly fix: string;
}

export interface Found {
  readonly url: string;
  readonly document: Document;
}

export interface Authority {
  readonly issuer: string | undefined;
  readonly server: Found | undefined;
  readonly keys: Found | undefined;
}

/** What is known so far: what the user gave, and what the steps have learned. */
export interface Known {
  readonly url: URL;
  readonly client: ClientProfile;
  /** The origin of the web page that is tried. */
  readonly origin: string;
  /** A client id that the user has, for servers where clients can't introduce themselves. */
  readonly clientId?: string | undefined;
  readonly token?: string | undefined;
  /** The first request, which had no token. */
  readonly first?: ProbeResponse;
  /** The server answers without a token. */
  readonly open?: boolean;
  /** The server has HTTP+SSE (MCP 2024-11-05), and not Streamable HTTP. */
  readonly httpSse?: boolean;
  readonly challenge?: Challenge;
  /** The protected-resource metadata and where it was found. */
  readonly resource?: Found;
  /** The issuers that the server names, up to a limit. */
  readonly issuers?: readonly string[];
  /** The issuer that the user has named. */
  readonly wanted?: string | undefined;
  /** One of the issuers: during its steps the examined one, after them the one that is used. */
  readonly issuer?: string | undefined;
  /** The authorization server's metadata and where it was found. */
  readonly server?: Found | undefined;
  readonly keys?: Found | undefined;
  /** What is known of each issuer. */
  readonly authorities?: readonly Authority[];
  /** Why a server may refuse the token; its answer decides. */
  readonly objections?: readonly Objection[];
  /** Names of the response headers that a web page can read (CORS); `undefined` if it can read nothing. */
  readonly exposed?: readonly string[] | undefined;
  readonly session?: string | undefined;
  /** The revision with sessions that the server has chosen. */
  readonly revision?: string | undefined;
  /** What the server says that it offers. */
  readonly capabilities?: Document;
  /** Revisions that the server offers without sessions. */
  readonly modern?: readonly string[] | undefined;
}

/** The metadata of each authorization server that has some. */
export const serversOf = ({ authorities = [] }: Pick<Known, 'authorities'>): readonly Found[] =>
  authorities.flatMap(({ server }) => server ?? []);

/** How a step reaches the network and the person. */
export interface StepDependencies extends Connections {
  readonly ask: Ask;
  readonly listen: Listen;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signIn?: SignIn;
}

/** Signs a person in. @throws if there is no token at the end */
type SignIn = (url: URL, at: Pick<SignInOptions, 'clientId' | 'issuer'>) => Promise<SignedIn>;

export interface SignedIn {
  readonly token: string;
  /** The tools that the client of the SDK lists with the token. */
  readonly tools?: readonly string[];
  /** The answer of the tool that was to be called. */
  readonly called?: { readonly name: string; readonly isError: boolean; readonly text: string };
  /** Why the SDK can't use the server with the token, and whether it is because the server refuses it. */
  readonly failure?: { readonly says: string; readonly refused: boolean };
}

export interface Step {
  readonly name: string;
  run(dependencies: StepDependencies, known: Known): Promise<Verdict>;
}

/**
 * Joins the two halves of a step. `skip` says why it is not tried, from what is known before.
 * @param judge decides from what was observed alone, so that it can be tested without a network
 */
export const step = <Seen>(
  name: string,
  skip: (known: Known, dependencies: StepDependencies) => string | undefined,
  observe: (dependencies: StepDependencies, known: Known) => Promise<Seen>,
  judge: (seen: Seen, known: Known) => Verdict,
): Step => ({
  name,
  run: async (dependencies, known) => {
    const reason = skip(known, dependencies);
    return reason === undefined ? judge(await observe(dependencies, known), known) : notTried(reason);
  },
});
