/** Owns what a request in tests has of the lane: a token, and no challenge. */
export const noChallenge = {
  accessToken: 'the token of the caller',
  challenge: (scope: string) => {
    throw new Error(`this test has no lane to ask for the scope ${scope}`);
  },
};
