/**
 * Owns the message for a start before `npm ci`, or with a Node.js that is too old. It is JavaScript, because such a Node.js cannot run
 * TypeScript.
 */
import { existsSync } from 'node:fs';
import './compile-cache.mjs';

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
  refuse(`Node.js ${process.versions.node} is too old; npm ci installs ${OLDEST}, which npm start and npm run use`);
}

/** @param {string} reason */
function refuse(reason) {
  process.stderr.write(`${command}: ${reason}\n`);
  process.exit(1);
}
