/** Owns what is worth a line in the log while something is away: that it begins, every new reason once, and that it is over. */

/** `first`: it has never been there so far. Absent: no news. */
type News = 'first' | 'again' | undefined;

export interface Outage {
  readonly isAway: boolean;
  begin(reason: string): News;
  end(): News;
}

/** Several connections to one place may share it: they come and go together. */
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
      // Some reasons count their attempts.
      const kind = reason.replace(/\d+/g, '#');
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
