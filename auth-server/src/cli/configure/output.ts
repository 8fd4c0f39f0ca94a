/** Owns how the result of `configure` is written: into .env, or as text for compose with secrets in files, or for Kubernetes. */
import { parseEnv } from 'node:util';
import { StartError } from '@mcp-oauth/shared/errors';

/** Separates what a container gets as a file from what it gets as a variable. */
export interface Written {
  readonly variables: Readonly<Record<string, string>>;
  /** Names of those variables that are secrets. */
  readonly secrets: ReadonlySet<string>;
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

/** A whole assignment, over several lines if its value is quoted. */
const assignmentOf = (name: string): RegExp =>
  new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*(?:"[^"]*"|'[^']*'|\`[^\`]*\`|)[^\\n]*(?:\\n|$)`, 'gm');

/** Lines for .env beside deploy/compose/production.yml, and the commands that write the secrets. */
export function forCompose(id: string, { variables, secrets }: Written): string {
  const file = (name: string) => (name.endsWith('CLIENT_SECRET') ? id : `${id}-${nameOfFile(name)}`);
  const shown = Object.entries(variables).map(([name, value]) =>
    secrets.has(name) ? [`${name}_FILE`, `/run/connectors/${file(name)}`] : [name, value],
  );
  const commands = [...secrets].map((name) => `printf %s '…' > secrets/connectors/${file(name)}   # ${name}`);
  return [
    ...linesOf(Object.fromEntries(shown)),
    '',
    '# In the folder of docker-compose.yml:',
    'mkdir -p secrets/connectors',
    ...commands,
  ].join('\n');
}

/** Lines for auth-server.env of an overlay, and the files of its folder secrets. */
export function forKubernetes(id: string, { variables, secrets }: Written): string {
  const file = (name: string) => `connector-${id}-${nameOfFile(name)}`;
  const shown = Object.entries(variables).map(([name, value]) =>
    secrets.has(name) ? [`${name}_FILE`, `/run/secrets/${file(name)}`] : [name, value],
  );
  const files = [...secrets].map((name) => `# secrets/${file(name)}: the value of ${name}`);
  return ['# auth-server.env', ...linesOf(Object.fromEntries(shown)), '', ...files].join('\n');
}

const nameOfFile = (name: string): string =>
  name
    .replace(/^CONNECTOR_.*?_(?=CLIENT_SECRET$|PRIVATE_KEY$)/, '')
    .toLowerCase()
    .replaceAll('_', '-');
