/** Owns the settings that the pages show for identity providers, as an operator copies them into .env. */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

const ROOT = new URL('../../', import.meta.url);

/** Each block of settings of a page, without the files of secrets, and with a value where the page leaves it to the operator. */
export const connectorsOn = (page: string): readonly Readonly<Record<string, string>>[] =>
  [...readFileSync(new URL(page, ROOT), 'utf8').matchAll(/^```sh\n(CONNECTORS=[\s\S]*?)^```$/gm)].map(
    ([, block = '']) => {
      const values = parseEnv(block);
      // In the order of the page.
      const names = [...block.matchAll(/^(\w+)=/gm)].map(([, name = '']) => name);
      return Object.fromEntries(
        names
          .filter((name) => !name.endsWith('_FILE'))
          .map((name) => [name, (values[name] ?? '').replace('…', 'a-value-of-the-operator')]),
      );
    },
  );

const ISSUER_PAGES = ['self-hosted', 'hosted', 'programs'].map((name) => `docs/existing-issuers/${name}.md`);

interface ProductSection {
  readonly page: string;
  readonly product: string;
  readonly text: string;
}

/** The section of each product on the pages about existing issuers. */
export const issuerSections: readonly ProductSection[] = ISSUER_PAGES.flatMap((page) =>
  readFileSync(new URL(page, ROOT), 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((text) => ({ page, product: text.split('\n')[0] ?? '', text })),
);

/** The settings of mcp-server for each existing issuer, with the heading of their section. */
export const documentedIssuers = (): readonly (readonly [product: string, env: Readonly<Record<string, string>>])[] =>
  issuerSections.flatMap(({ product, text }) =>
    [...text.matchAll(/^```sh\n(ISSUER=[\s\S]*?)^```$/gm)].map(
      ([, block = '']) => [product, parseEnv(block) as Record<string, string>] as const,
    ),
  );
