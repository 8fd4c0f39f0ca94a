/**
 * Owns the one line that somebody reads who starts something before `npm ci`, or with a Node.js that is too old. In JavaScript, as such
 * a Node.js reads nothing else.
 */
import { existsSync } from 'node:fs';

const OLDEST = 24;
const root = new URL('../', import.meta.url);
const event = process.env.npm_lifecycle_event ?? 'start';
const command = event === 'start' ? 'npm start' : `npm run ${event}`;

const isInstalled = ['@mcp-oauth/shared', 'zod', 'koa'].every((name) =>
  existsSync(new URL(`node_modules/${name}/package.json`, root)),
);
if (!isInstalled) {
  refuse('the packages are not installed; run npm ci first');
} else if (Number(process.versions.node.split('.')[0]) < OLDEST) {
  refuse(`Node.js ${process.versions.node} is too old; npm ci brings ${OLDEST} along, which npm start and npm run use`);
}

/** @param {string} reason */
function refuse(reason) {
  process.stderr.write(`${command}: ${reason}\n`);
  process.exit(1);
}
