/** Owns how a test puts a set-up together: which compose files, and how long it may take. */

/** @param overrides names in deploy/compose, or paths */
export const filesOf = (...overrides: readonly string[]): string =>
  ['docker-compose.yml', ...overrides.map((name) => (name.includes('/') ? name : `deploy/compose/${name}.yml`))].join(
    ':',
  );

/** Milliseconds: images are built on the way, or everything is taken down. */
export const BUILDING = 300_000;
export const ENDING = 120_000;

export const UP = 'docker compose up -d --build --wait';
