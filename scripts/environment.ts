/** Owns that what is run from the repository has the settings of its .env: `npm start`, and the commands of each service. */
import { existsSync } from 'node:fs';

if (existsSync('.env')) process.loadEnvFile('.env');
