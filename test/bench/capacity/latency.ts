/** Owns how long the requests of a load took, seen from its clients. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

type Request = () => string;

/**
 * A connection asks for its next request when the last answer is complete, so the time between two is that of one.
 * @returns the same requests, and the milliseconds that they took
 */
export function timed(requests: readonly Request[]): {
  readonly speakers: readonly Request[];
  readonly taken: () => Latency;
} {
  const all: number[] = [];
  const speakers = requests.map((request) => {
    let began: number | undefined;
    return () => {
      const now = performance.now();
      if (began !== undefined) all.push(now - began);
      began = now;
      return request();
    };
  });
  return {
    speakers,
    taken: () => {
      const sorted = Float64Array.from(all).sort();
      const at = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
      return { p50: at(0.5), p99: at(0.99), longest: at(1) };
    },
  };
}
