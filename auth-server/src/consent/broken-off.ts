/** Owns what a person reads where a sign-in can’t go on, and no client can be told: each sentence is true of its case. */

export const BROKEN_OFF = {
  over: 'This sign-in is over: it took too long or was already finished.',
  noCookie:
    'Your browser did not send the cookie of this sign-in. Either it blocks cookies of this site, or the sign-in began in another browser or a private window. Allow cookies, and stay in one browser.',
  clientGone: 'The app that asked is no longer registered here. Remove the server in your app and add it again.',
  addressGone:
    'The app has meanwhile removed the address that the answer was to go to, so nothing was sent there. Go back to your app and connect again.',
  otherSession: 'Meanwhile somebody signed in or out here in another tab of this browser, so this page is out of date.',
} as const;
