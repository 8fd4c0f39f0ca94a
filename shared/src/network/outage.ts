/** Owns which events of an outage are logged: its start, every new reason once, and its end. */

/** `first`: it was never available before. Absent: no news. */
type News = 'first' | 'again' | undefined;

export interface Outage {
  readonly isAway: boolean;
  begin(reason: string): News;
  end(): News;
}

/** Several connections to one server may share an outage. */
export function createOutage(): Outage {
  let state: 'unknown' | 'away' | 'there' = 'unknown';
  let hasBeenThere = false;
  const told = new Set<string>();
  const news = (isNews: boolean): News => (isNews ? (hasBeenThere ? 'again' : 'first') : undefined);
  return {
    get isAway() {
      return state === 'away';
    },
    begin: (reason) => {
      if (state !== 'away') told.clear();
      state = 'away';
      // Some reasons contain the number of attempts; the status of an answer is a reason of its own.
      const kind = reason.replace(/(?<!answered \d*)\d+/g, '#');
      const isNews = !told.has(kind);
      told.add(kind);
      return news(isNews);
    },
    end: () => {
      const found = news(state !== 'there');
      state = 'there';
      hasBeenThere = true;
      return found;
    },
  };
}
