/** Owns the rendering of declared settings: the table of docs/configuration.md and the lines of .env.example. */
import type { Setting, Settings } from './config.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const fallback = (declared: Setting<unknown>): string => {
  if (declared.default !== undefined) return `\`${declared.default}\``;
  return declared.optional ? '–' : '**required**';
};

/** A markdown table, one row per setting in the order of their declaration. */
export function settingsTable(settings: Settings, prefix = ''): string {
  const rows = Object.values(settings).map((declared) => {
    const file = declared.secret
      ? ` Secret: may also come from the file named by \`${prefix}${declared.env}_FILE\`.`
      : '';
    const example = declared.example ? ` Example: \`${declared.example}\`.` : '';
    return `| \`${prefix}${declared.env}\` | ${fallback(declared)} | ${cell(declared.doc + example + file)} |`;
  });
  return ['| variable | default | what it does |', '| --- | --- | --- |', ...rows].join('\n');
}

/** The same settings as commented lines for an env file. */
export function settingsExample(settings: Settings, prefix = ''): string {
  return Object.values(settings)
    .map(
      (declared) =>
        `# ${withoutLinks(declared.doc)}\n#${prefix}${declared.env}=${quoted(declared.example ?? declared.default ?? '')}`,
    )
    .join('\n\n');
}

/** A link of docs/configuration.md as plain text: what it says, and the page below docs. */
const withoutLinks = (doc: string): string =>
  doc.replace(
    /\[([^\]]*)\]\(([^)]*)\)/g,
    (_, said: string, to: string) => `${said} (docs/${to.startsWith('#') ? 'configuration.md' : ''}${to})`,
  );

/** A value that Node.js and compose read unchanged from an env file. */
const quoted = (value: string): string => (/^[\w./:@,+=;*<>-]*$/.test(value) ? value : `'${value}'`);
