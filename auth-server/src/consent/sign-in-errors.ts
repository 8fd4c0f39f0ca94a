/** Owns the texts for a person whose sign-in cannot continue and whose client cannot get an error. */

export const SIGN_IN_ERRORS = {
  over: 'This sign-in has ended: it took too long or is already finished.',
  noCookie:
    'Your browser did not send the cookie of this sign-in. Either it blocks cookies of this site, or the sign-in started in another browser or a private window. Allow cookies and use one browser for the whole sign-in.',
  clientGone: 'The app that sent you here is no longer registered. Remove the server in your app and add it again.',
  addressGone:
    'The app has removed the address for the answer in the meantime, so nothing was sent there. Go back to your app and connect again.',
  otherSession: 'Somebody has signed in or out in another tab of this browser, so this page is out of date.',
} as const;
