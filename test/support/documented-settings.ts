/** Owns the settings that the pages show for identity providers, as an operator copies them into .env. */
import { readFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url);

/** Each block of settings of a page, without the files of secrets, and with a value where the page leaves it to the operator. */
export const connectorsOn = (page: string): readonly Readonly<Record<string, string>>[] =>
  [...readFileSync(new URL(page, ROOT), 'utf8').matchAll(/^```sh\n(CONNECTORS=[\s\S]*?)^```$/gm)].map(
    ([, block = '']) =>
      Object.fromEntries(
        [...block.matchAll(/^(\w+)=(.*)$/gm)]
          .filter(([, name = '']) => !name.endsWith('_FILE'))
          .map(([, name = '', value = '']) => [name, value.replace('…', 'a-value-of-the-operator')]),
      ),
  );
