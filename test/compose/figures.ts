/** Owns how the figures of the compose tests are printed: one line each, as docs/test-results.md quotes them. */

const WIDTH = 30;

export const print = (what: string, figures: string): void => {
  process.stdout.write(`${what.padEnd(WIDTH)} ${figures}\n`);
};
