/** Owns the shape of the log: one JSON object a line, an event name as message, and no secret in it, ever. */
import { pino } from 'pino';

export type Logger = pino.Logger;

/** Members that are cut out wherever they stand near the top of a log object; the last wall, not the first. */
export const REDACTED = [
  'authorization', 'cookie', 'set-cookie', 'access_token', 'refresh_token', 'id_token', 'client_secret', 'code',
  'code_verifier', 'state', 'password', 'token', 'assertion',
] as const; // biome-ignore format: one list

const paths = REDACTED.flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`]);

/** An error's `code` tells the operator ECONNREFUSED or ENOSPC, while a member `code` of anything else may be a secret. */
const serializeError = (error: Error & { readonly code?: unknown }) => ({
  ...pino.stdSerializers.err(error),
  ...(typeof error.code === 'string' && { errno: error.code }),
});

/**
 * Standard output of the process. When its reader goes away the log is lost and nothing else: pino's own destination would
 * try again for ever, and keep the process from ending.
 */
function standardOutput(): pino.DestinationStream {
  process.stdout.on('error', () => {});
  return { write: (line) => void process.stdout.write(line) };
}

export function createLogger(service: string, level: string, destination = standardOutput()): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths, censor: '[redacted]' },
      serializers: { err: serializeError },
    },
    destination,
  );
}
