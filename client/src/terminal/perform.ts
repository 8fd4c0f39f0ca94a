/** Owns one run of a command at a server: what it is given, and its exit status if it fails. */
import type { EnterpriseDependencies } from '../enterprise/authorize.ts';
import { type Credential, spellingsOf } from '../sign-in/client/secret.ts';
import { withSignatures } from '../sign-in/grant.ts';
import { tokenFile, tokenFolder } from '../tokens/token-file.ts';
import { failureOf, STATUS } from './failure.ts';
import type { PerformDependencies, Run, Task } from './run.ts';
import { createScreen, type Screen } from './screen.ts';
import { RUNS } from './verbs.ts';

export async function perform(task: Task, dependencies: PerformDependencies): Promise<number> {
  const { url, json, verb, stdout, stderr } = task;
  const { isTerminal, columns } = dependencies;
  const screen = createScreen({ stdout, stderr, json, isTerminal, columns, lines: verb === 'watch' });
  try {
    return await RUNS[verb](createRun(task, dependencies, screen));
  } catch (error) {
    const { kind, says, pages } = failureOf(error, url);
    screen.say(`client: ${says}`);
    if (json) screen.result('', { error: kind, message: says, ...(pages && pages.length > 0 && { pages }) });
    return STATUS[kind];
  }
}

function createRun(task: Task, dependencies: PerformDependencies, screen: Screen): Run {
  const { env, folder, url } = task;
  const given = dependencies.signIn(env);
  const { unique, home } = dependencies;
  const at = (place: URL) =>
    tokenFile(folder ?? tokenFolder(env, home), place, { now: given.now, wait: given.wait, unique });
  const access: EnterpriseDependencies = {
    ...given,
    fileAt: at,
    hide: screen.hide,
    secret: (place, clientId) => hidden(given.secret(place, clientId), clientId, screen.hide),
  };
  return { ...task, ...dependencies, screen, file: at(url), access };
}

/** A server may repeat a request in its error, and with it a secret or an assertion. */
function hidden(credential: Credential, clientId: string, hide: Screen['hide']): Credential {
  if ('client_secret' in credential) {
    hide(spellingsOf(clientId, credential.client_secret));
    return credential;
  }
  const { client_key: key } = credential;
  const assertionOf: typeof key.assertionOf = async (...request) => {
    const assertion = await key.assertionOf(...request);
    hide(withSignatures([assertion]));
    return assertion;
  };
  return { client_key: { assertionOf } };
}
