/** Owns the step that signs a person in with the official SDK, as a real client does, and calls the server with the token. */
import { NotAgreed } from '../../sign-in/grant.ts';
import { fault, note, passed, type SignedIn, step, type Verdict } from '../step.ts';

interface Seen {
  readonly signedIn?: SignedIn;
  readonly error?: unknown;
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
  async ({ signIn: begin }, { url, clientId, issuer, authorities = [] }): Promise<Seen> => {
    // With one issuer it is the way of the SDK that is tried.
    const at = authorities.length > 1 ? issuer : undefined;
    try {
      return begin ? { signedIn: await begin(url, { clientId, issuer: at }) } : {};
    } catch (error) {
      return { error };
    }
  },
  judgeSignIn,
);

function judgeSignIn({ signedIn, error }: Seen): Verdict {
  if (!signedIn) return judgeFailure(error);
  const { tools, token, called, failure } = signedIn;
  if (failure?.refused)
    // The step initialize names the fault.
    return note(`There is a token, but the server refuses it: ${failure.says}`, { token });
  if (failure) {
    const says = `There is a token, but the official SDK can't use the server with it: ${failure.says}`;
    return fault('mcp-server', says, 'The log of the server has the reason, if the steps below name none.', { token });
  }
  if (called?.isError)
    return fault(
      'mcp-server',
      `The tool ${called.name} answers with an error: ${called.text}`,
      'Compare its arguments with its schema; the log has more.',
      { token },
    );
  const answer = called ? `; ${called.name} answers: ${called.text}` : '';
  return passed(`the official SDK signed in and lists ${tools?.length ?? 0} tools${answer}`, { token });
}

function judgeFailure(error: unknown): Verdict {
  const says = `The sign-in failed: ${error instanceof Error ? error.message : String(error)}.`;
  if (error instanceof NotAgreed)
    return fault('user', says, 'Sign in again. If you did agree, a rule of the authorization server keeps you out.');
  const fix = 'The log of the authorization server has the reason; the page in the browser may have a reference to it.';
  return fault('authorization-server', says, fix);
}
