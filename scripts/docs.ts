/** Owns `npm run docs`: writes what is generated from the declared settings. `test/docs.test.ts` fails when it is stale. */
import { writeFileSync } from 'node:fs';
import { generatedDocs } from './generated-docs.ts';

for (const [path, text] of await generatedDocs()) writeFileSync(new URL(`../${path}`, import.meta.url), text);
