/** Owns the step that signs a person in with the official SDK, as a real client does, and calls the server with the token. */
import { fault, passed, type SignedIn, step, type Verdict } from '../step.ts';

interface Seen {
  readonly signedIn?: SignedIn;
  readonly failure?: string;
}

export const signIn = step(
  'sign-in',
  ({ open, first, token, server }, dependencies) => {
    if (open) return 'the server needs no sign-in';
    if (!dependencies.signIn) return '--login is not given';
    if (token) return 'there is a token already';
    if (first?.status !== 401) return 'the server was not reached';
    return server ? undefined : 'the metadata of the authorization server is not known';
  },
  async ({ signIn: begin }, { url, clientId }): Promise<Seen> => {
    try {
      return begin ? { signedIn: await begin(url, clientId) } : {};
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) };
    }
  },
  judgeSignIn,
);

function judgeSignIn({ signedIn, failure }: Seen): Verdict {
  if (!signedIn) {
    const fix =
      'The log of the authorization server has the reason; the page in the browser may have a reference to it.';
    return fault('authorization-server', `The sign-in failed: ${failure}`, fix);
  }
  const { tools, token, called } = signedIn;
  if (called?.isError)
    return fault(
      'mcp-server',
      `The tool ${called.name} answers with an error: ${called.text}`,
      'Compare its arguments with its schema; the log has more.',
      { token },
    );
  const answer = called ? `; ${called.name} answers: ${called.text}` : '';
  return passed(`the official SDK signed in and lists ${tools.length} tools${answer}`, { token });
}
