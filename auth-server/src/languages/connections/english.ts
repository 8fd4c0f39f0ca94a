/** Owns the English texts about accounts that tools use for a person: the page that connects one, the account page, the words for scopes. */

export const english = {
  // The page of a link that an app shows.
  linkPageName: 'Connect {provider}?',
  linkHeading: 'Connect your account at {provider}?',
  linkAsks: '{client} uses tools that need it.',
  linkAbilities: 'The tools will be able to',
  linkHere: 'You are signed in here as',
  linkThere: 'Connected now',
  linkFurther:
    'The app itself never gets a token of {provider}. Tools use the account for you in this app, and in others only if you allow it there too, until you disconnect it on the page {account}.',
  linkWarning:
    'Continue only if an app that you are using has just shown you this link. If somebody sent you the link, choose Cancel.',
  cancel: 'Cancel',
  linkForOther: 'This link is for another account',
  linkForOtherExplained:
    'You are signed in here as {person}, and the link was made for somebody else. Nothing was connected.',
  linkForOtherSent:
    'If somebody sent you the link, close this page. They may want your accounts to be used for theirs.',
  linkForOtherOwn:
    'If an app of yours has just shown you the link, sign in here with the account that you use in that app.',
  linkOver: 'This link can’t be used any more: it was used already, or is more than ten minutes old.',
  linkAgain: 'Go back to your app and try again there. It shows a new link.',
  // The end of it.
  connected: '{provider} is connected',
  connectedAs: 'Tools can now use the account {name} for you.',
  connectedNow: 'Tools can now use your account for you.',
  connectedPart: '{provider} did not allow everything that was asked for, so a tool may ask again.',
  goOnInApp: 'Go back to your app and go on there. You can close this page.',
  notConnected: 'Nothing was connected',
  seeConnections: 'See your connected accounts',
  connectionDenied: 'Nothing was connected: {provider} refused, or you cancelled there.',
  connectionFailed: 'Nothing was connected, because {provider} did not answer as expected.',
  connectionNotTheirs:
    'Nothing was connected: the account that you chose at {provider} can’t be connected to yours. If you sign in here with {provider}, choose that account there.',
  // The account page.
  connectionsHeading: 'Connected accounts',
  connectionsExplained:
    'Tools use these accounts for you, in the apps for which you connected or allowed them. No app gets a token of them. If you disconnect an account, tools lose it within a minute.',
  noConnections: 'No account is connected. When a tool needs one, your app shows you a link to connect it.',
  connectionName: 'Account',
  connectionFor: 'Connected for',
  connectionEnded:
    '{provider} does not accept this connection any more. When a tool needs it, your app shows you a link.',
  disconnect: 'Disconnect {provider}',
  // The scope on the sign-in page.
  scopeOfUpstream: 'Use your account at {provider} with tools',
  upstreamAsks: '{provider} asks you as well, after this page.',
  // What tools may do at an upstream.
  upstreamUsual: 'Do what {provider} names on its own page',
  upstreamProfile: 'Read your profile',
  upstreamEmail: 'Read your e-mail addresses',
  upstreamUser: 'Read and change your profile',
  upstreamOrganisations: 'See your organisations and teams',
  upstreamRepositories: 'Read and change your repositories, also the private ones',
  upstreamPublicRepositories: 'Read and change your public repositories',
  upstreamGists: 'Create and change gists',
  upstreamMailRead: 'Read your mail',
  upstreamMailSend: 'Send mail as you',
  upstreamCalendarRead: 'Read your calendars',
  upstreamCalendar: 'Read and change your calendars',
  upstreamFilesRead: 'Read your files',
  upstreamFiles: 'Read and change your files',
  upstreamContacts: 'Read your contacts',
  upstreamOffline: 'Go on while you are away',
} as const;
