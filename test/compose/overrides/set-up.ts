/** Owns how a test assembles a compose project: which compose files it uses, and how long it may take. */

/** @param overrides names in deploy/compose, or paths */
export const filesOf = (...overrides: readonly string[]): string =>
  ['docker-compose.yml', ...overrides.map((name) => (name.includes('/') ? name : `deploy/compose/${name}.yml`))].join(
    ':',
  );

/** Milliseconds, with the time to build images or to remove everything. */
export const BUILDING = 300_000;
export const ENDING = 120_000;

export const UP = 'docker compose up -d --build --wait';
