/** Owns `npm run docs`: writes the generated documents. `test/docs.test.ts` fails if they are out of date. */
import { writeFileSync } from 'node:fs';
import { generatedDocs } from './generated-docs.ts';

for (const [path, text] of await generatedDocs()) writeFileSync(new URL(`../${path}`, import.meta.url), text);
