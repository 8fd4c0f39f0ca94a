/** Owns how a command asks a server: connected, patient, with a person for the questions of the server, and until Ctrl-C. */
import {
  type Client,
  ProtocolError,
  type RequestOptions,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/client';
import { Interrupted, PersonNeeded, STATUS } from '../failure.ts';
import { linksIn } from '../questions/link.ts';
import { createPerson, type Person } from '../questions/person.ts';
import type { Run } from '../run.ts';
import { connect } from './connection.ts';
import { createPatience, type Patience, UNLIMITED } from './patience.ts';

export interface Asking {
  readonly client: Client;
  readonly revision: string;
  /** For requests without questions. */
  readonly options: RequestOptions;
  /** Resolves when the person ends the program. */
  readonly interrupted: Promise<void>;
  /** For requests that may need a person: as often as the server wants a page to be opened first. */
  readonly patiently: <T>(request: (options: RequestOptions) => Promise<T>) => Promise<T>;
}

/** How often a server may want another page to be opened before it answers. */
const MOST_ROUNDS = 10;

/** Connects, asks, and ends the session. */
export async function at(
  run: Run,
  command: (asking: Asking) => Promise<number>,
  prepare?: (client: Client) => void,
): Promise<number> {
  const { url, file, access, version, revision, timeout, screen } = run;
  let isInterrupted = false;
  const interrupted = run.interrupted(run.env).then(() => {
    isInterrupted = true;
  });
  const patience = createPatience(timeout, interrupted);
  const person = personOf(run, patience);
  const { signal } = patience;
  const { hide, say } = screen;
  try {
    await using connection = await connect(
      { url, file, access, version, revision, timeout, hide, person, signal, say },
      prepare,
    );
    const asking = { options: { timeout, signal }, interrupted, patiently: patientlyWith(patience, person) };
    // Awaited here: the connection ends with this function.
    const status = await command({ ...connection, ...asking });
    return person.wasMissed() ? STATUS['person-needed'] : status;
  } catch (error) {
    if (isInterrupted) throw new Interrupted();
    throw person.wasMissed() && error instanceof ProtocolError ? new PersonNeeded(error.message) : error;
  }
}

function personOf({ url, words, json, isPresent, access, screen, readLine }: Run, patience: Patience): Person {
  // Standard input can't hold the arguments and the answers.
  const answers = !json && !words.includes('-');
  /** A question that is over leaves the line that it waits for to the next one. */
  let line: Promise<string | undefined> | undefined;
  const nextLine = () => {
    line ??= readLine().finally(() => {
      line = undefined;
    });
    return line;
  };
  return createPerson({
    server: url.host,
    answers,
    isPresent: answers && isPresent,
    ask: (text) => {
      screen.ask(text);
      return patience.hold(nextLine);
    },
    say: screen.say,
    open: access.openBrowser,
  });
}

/** MCP 2025-11-25, URLElicitationRequiredError: the request is sent again after its pages. */
const patientlyWith =
  ({ during, heard, signal }: Patience, person: Person): Asking['patiently'] =>
  async (request) => {
    for (let round = 1; ; round += 1) {
      try {
        return await during(() => request({ timeout: UNLIMITED, signal, onprogress: heard }));
      } catch (error) {
        const links = error instanceof UrlElicitationRequiredError && linksIn(error.elicitations);
        if (!links || round > MOST_ROUNDS) throw error;
        await during(() => person.visitAll(links));
      }
    }
  };
