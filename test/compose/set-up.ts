/** Owns how a test puts a set-up together: which compose files, at which ports, and how long it may take. */
import process from 'node:process';

const { HTTP_PORT = '8080', DEVELOPMENT_IDP_PORT = '9001' } = process.env;

/** Those of README, unless something else is there. */
export const PORTS = { HTTP_PORT, DEVELOPMENT_IDP_PORT };
export const ORIGIN = `http://localhost:${HTTP_PORT}`;

/** @param overrides names in deploy/compose, or paths */
export const filesOf = (...overrides: readonly string[]): string =>
  ['docker-compose.yml', ...overrides.map((name) => (name.includes('/') ? name : `deploy/compose/${name}.yml`))].join(
    ':',
  );

/** Milliseconds: images are built on the way, or everything is taken down. */
export const BUILDING = 300_000;
export const ENDING = 120_000;

export const UP = 'docker compose up -d --build --wait';
