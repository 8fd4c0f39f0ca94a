/** Owns how the result of `configure` is written: into .env, or as text for compose with secrets in files, or for Kubernetes. */

/** Separates what a container gets as a file from what it gets as a variable. */
export interface Written {
  readonly variables: Readonly<Record<string, string>>;
  /** Names of those variables that are secrets. */
  readonly secrets: ReadonlySet<string>;
}

/** A value that dotenv and compose read unchanged. */
const quoted = (value: string): string => {
  if (/^[\w./:@,+=;*<>-]*$/.test(value)) return value;
  if (!value.includes("'")) return `'${value}'`;
  return `"${value.replace(/["\\$]/g, '\\$&').replaceAll('\n', '\\n')}"`;
};

export const linesOf = (variables: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}`);

/** The content of .env with these variables: a line that sets one is replaced, and everything else stays. */
export function withVariables(content: string, variables: Readonly<Record<string, string>>): string {
  const open = new Map(linesOf(variables).map((line) => [line.slice(0, line.indexOf('=')), line]));
  const kept = content.split('\n').flatMap((line) => {
    const name = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=/.exec(line)?.[1] ?? '';
    const replaced = open.get(name);
    if (replaced === undefined) return Object.hasOwn(variables, name) ? [] : [line];
    open.delete(name);
    return [replaced];
  });
  while (kept.at(-1) === '') kept.pop();
  return `${[...kept, ...open.values()].join('\n')}\n`;
}

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
