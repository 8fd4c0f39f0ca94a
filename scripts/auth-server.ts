/** Owns `npm run auth-server`: a command of auth-server with the same .env that `npm start` reads. */
import { existsSync } from 'node:fs';

if (existsSync('.env')) process.loadEnvFile('.env');
await import('../auth-server/src/main.ts');
