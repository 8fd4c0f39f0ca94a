/** Owns how the result of `configure` is written: into .env, or as text for compose with secrets in files, or for Kubernetes. */
import { normalize } from 'node:path';
import { parseEnv } from 'node:util';
import { StartError } from '@mcp-oauth/shared/errors';

/** Separates what a container gets as a file from what it gets as a variable. */
export interface Written {
  readonly variables: Readonly<Record<string, string>>;
  readonly secrets: readonly Secret[];
}

export interface Secret {
  /** Of its variable, without `_FILE`. */
  readonly name: string;
  /** The file that it is in; absent: it is the value of the variable. */
  readonly path: string | undefined;
}

/** A value that Node.js and compose read unchanged: in single quotes neither replaces anything, and Node.js knows no escapes. */
function quoted(name: string, value: string): string {
  if (/^[\w./:@,+=;*<>-]*$/.test(value)) return value;
  if (!/['\n\r]/.test(value)) return `'${value}'`;
  if (!/["\\$`\n\r]/.test(value)) return `"${value}"`;
  throw new StartError(`${name} has quotes or line breaks: put it into a file, and set ${name}_FILE to its path`);
}

/** @throws StartError for a value that cannot be written */
export const linesOf = (variables: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(variables).map(([name, value]) => `${name}=${quoted(name, value)}`);

/**
 * The content of .env with these variables: an assignment is replaced, and everything else stays.
 * @throws StartError if a value would not be read back as it is
 */
export function withVariables(content: string, variables: Readonly<Record<string, string>>): string {
  let changed = content === '' || content.endsWith('\n') ? content : `${content}\n`;
  for (const [name, value] of Object.entries(variables)) {
    const line = `${name}=${quoted(name, value)}\n`;
    let isWritten = false;
    changed = changed.replace(assignmentOf(name), () => {
      if (isWritten) return '';
      isWritten = true;
      return line;
    });
    if (!isWritten) changed += line;
  }
  const read = parseEnv(changed);
  const lost = Object.keys(variables).find((name) => read[name] !== variables[name]);
  if (lost) throw new StartError(`${lost} can't be written into .env: set it by hand`);
  return changed;
}

/** The content of .env without these variables. */
export const withoutVariables = (content: string, names: readonly string[]): string =>
  names.reduce((left, name) => left.replace(assignmentOf(name), ''), content);

/** A whole assignment, over several lines if its value is quoted. */
const assignmentOf = (name: string): RegExp =>
  new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*(?:"[^"]*"|'[^']*'|\`[^\`]*\`|)[^\\n]*(?:\\n|$)`, 'gm');

/** Lines for .env beside deploy/compose/production.yml, and the commands that write the secrets. */
export function forCompose(id: string, { variables, secrets }: Written): string {
  const file = (name: string) => (name.endsWith('CLIENT_SECRET') ? id : `${id}-${nameOfFile(name)}`);
  const commands = secrets.flatMap(({ name, path }) => {
    const target = `secrets/connectors/${file(name)}`;
    if (path === undefined) return [`printf %s '…' > ${target}   # ${name}`];
    return normalize(path) === target ? [] : [`cp ${forShell(path)} ${target}   # ${name}`];
  });
  return [
    ...linesOf(inFiles({ variables, secrets }, (name) => `/run/connectors/${file(name)}`)),
    '',
    '# In the folder of docker-compose.yml:',
    'mkdir -p secrets/connectors',
    ...commands,
  ].join('\n');
}

/** Lines for auth-server.env of an overlay, and the files of its folder secrets. */
export function forKubernetes(id: string, { variables, secrets }: Written): string {
  const file = (name: string) => `connector-${id}-${nameOfFile(name)}`;
  const files = secrets.map(({ name, path }) =>
    path === undefined ? `# secrets/${file(name)}: the value of ${name}` : `# secrets/${file(name)}: a copy of ${path}`,
  );
  const shown = inFiles({ variables, secrets }, (name) => `/run/secrets/${file(name)}`);
  return ['# auth-server.env', ...linesOf(shown), '', ...files].join('\n');
}

/** The variables of a container, which gets each secret as a file. */
function inFiles({ variables, secrets }: Written, pathOf: (name: string) => string): Readonly<Record<string, string>> {
  const shown = Object.entries(variables).map(([variable, value]) => {
    const secret = secrets.find(({ name }) => variable === name || variable === `${name}_FILE`);
    return secret ? [`${secret.name}_FILE`, pathOf(secret.name)] : [variable, value];
  });
  return Object.fromEntries(shown);
}

const forShell = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;

const nameOfFile = (name: string): string =>
  name
    .replace(/^CONNECTOR_.*?_(?=CLIENT_SECRET$|PRIVATE_KEY$)/, '')
    .toLowerCase()
    .replaceAll('_', '-');
