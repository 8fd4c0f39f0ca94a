/**
 * Owns the English texts of the pages. They are the list of all texts: each other language has the same keys with the same
 * placeholders. A text whose key ends in `Title` is the title of an error page.
 */

import { SCOPES } from '@mcp-oauth/shared/contract';
import { english as connections } from './connections/english.ts';

export const english = {
  tag: 'en',
  direction: 'ltr',
  texts: {
    // The sign-in page.
    pageName: 'Allow {client}?',
    heading: 'Allow {client} to use {resource}?',
    namelessClient: 'an app without a name',
    abilities: 'The app will be able to',
    permission: 'Use the permission {name}',
    scopeTools: SCOPES['mcp:tools'],
    scopeStatus: SCOPES['mcp:admin'],
    learns: 'The app and the server will learn',
    learnsName: 'Your name',
    learnsUsername: 'Your user name',
    learnsEmail: 'Your e-mail address',
    learnsGroups: 'Your groups',
    learnsRoles: 'Your roles',
    learnsOrg: 'Your organisation',
    readOnly: 'read only',
    tools: 'Tools: {count}',
    moreTools: 'and {count} more',
    saysItIsFrom: 'Says it is from',
    publishedBy: 'Published by',
    onTheServer: 'On the server',
    accessGoesTo: 'Access goes to',
    copyNote:
      'This server can’t read the app’s document at {host} at the moment. The details on this page are from a copy that the operator of this server fetched on {date}.',
    known: 'known',
    addedByOperator: 'The operator of this server added this app.',
    unverified: 'unverified',
    choseItsName: 'The app chose this name itself.',
    gaveNoName: 'The app did not give a name.',
    continueWith: 'Continue with {provider}',
    signedInAs: 'As {person}',
    through: 'through {provider}',
    lastAccount: 'the account you used last',
    approve: 'Approve',
    notYou: 'Not you? Use another account',
    deny: 'Deny',
    notExpecting: 'Not expecting this? Choose Deny.',
    support: 'Help',
    privacy: 'Privacy',
    // The destination of an answer.
    program: 'a program on this computer',
    website: 'a website',
    app: 'an app on this device',
    programWarning:
      'Any program on this computer can send such a request. Continue only if you just started the program yourself.',
    programOfWarning:
      'Any program on this computer can claim to be from {publisher}. Continue only if you just started the program yourself.',
    device: 'a device that shows this code',
    deviceWarning:
      'Continue only if you started this sign-in yourself, and a device in front of you shows this code. If somebody sent you the code or a link to this page, or reads it to you, they want access to your account: choose Deny.',
    appWarning: 'Any app on this device can claim this address. Continue only if you just started the app yourself.',
    // The page for a person who may not come in.
    notAdmittedTitle: 'This account has no access',
    signedInWith: 'You signed in with {provider}.',
    signedInAsWith: 'You signed in as {person} with {provider}.',
    notAdmitted: 'This server does not admit this account, so the app got no access.',
    ifAdmitted: 'If you have another account that is admitted, use that one. Otherwise ask {operator}.',
    operator: 'the operator of this server',
    useAnother: 'Use another account',
    returnWithout: 'Return to the app without access',
    answerComes: 'If you do nothing, this page returns to the app after ten seconds.',
    reasonReference: 'The operator can find the reason with this reference:',
    // Signing out.
    signOut: 'Sign out',
    signOutQuestion: 'Sign out of this server?',
    signedInHere: 'In this browser you are signed in as {person}.',
    signedOut: 'You are signed out',
    notSignedIn: 'You are not signed in',
    appsKeepAccess: 'Apps that you approved keep their access until it ends or you end it on the page {account}.',
    stillSignedIn: 'You may still be signed in at {provider}.',
    signOutThere: 'Sign out at {provider} as well',
    // Signing in to a page of this server, without an app.
    signInHere: 'Sign in to this server',
    signInOnceMore: 'For this page you must have signed in within the last few minutes. Sign in once more.',
    notAdmittedHere: 'This server does not admit this account.',
    pageSignInDenied: 'You are not signed in: {provider} refused the sign-in, or you cancelled it.',
    pageSignInFailed: 'You are not signed in, because {provider} did not answer as expected.',
    notProvenAgain: 'You are not signed in, because {provider} did not ask you to sign in again.',
    signedOutMeanwhile: 'You signed out everywhere during this sign-in, so it does not count.',
    openPageAgain: 'Open the page again.',
    // The account page.
    account: 'Your account',
    connectedApps: 'Connected apps',
    connectedExplained:
      'An app renews its access every few minutes while it is in use, and this server sees nothing else of it. So “last used” is the last time that it did. If you end the access of an app, it ends within seconds.',
    nothingConnected: 'No app has access to anything on your behalf.',
    moreApps: 'More apps',
    goneClient: 'an app that is no longer registered',
    mayDo: 'Allowed to',
    connectedFrom: 'Connected from',
    fromBrowser: 'a browser',
    fromDevice: 'a device that showed a code',
    fromEnterprise: 'your organisation, which allowed this app for you',
    connectedSince: 'Since',
    lastRenewed: 'Last used',
    endsByItself: 'Ends by itself',
    endAccessOf: 'End the access of {client}',
    endAllQuestion: 'End everything',
    endAllExplained:
      'This ends the access of every app and every personal token, disconnects the accounts that tools use for you, and signs you out in all browsers. Use it if you think that somebody else has access to your account.',
    endAll: 'End all access and sign out everywhere',
    allAccessEnded: 'No app has access on your behalf any more. An app that you use asks you again.',
    signOutHeading: 'Sign out',
    signOutExplained: 'Apps keep their access when you sign out.',
    signOutHere: 'Sign out in this browser',
    signOutEverywhere: 'Sign out in all browsers',
    // Personal tokens, on the account page.
    tokensHeading: 'Personal tokens',
    tokensExplained:
      'For a program that can only send a fixed header (an API key). Whoever has a token can use it as you until it ends, so give each program one of its own.',
    tokenLives: 'Created on {created}, ends on {end}',
    tokenEnd: 'End',
    tokenEndNamed: 'End {name}',
    tokenNew: 'New token for {server}',
    tokenName: 'Name of the program',
    tokenLife: 'Ends after',
    tokenScopes: 'With this token, the program will be able to',
    tokenLearns: 'The server will learn',
    tokenCreate: 'Create the token',
    tokenShown: 'The token for {name}',
    tokenCopy: 'Copy it now. It is not shown again.',
    tokenItself: 'Your new token',
    tokenMade:
      'This token was created already and is not shown again. If you did not copy it, end it and create another.',
    tokenBadName: 'No token was created: the name needs 1 to 60 characters.',
    tokenNotAllowed: 'No token was created: nothing was chosen, or something that this account may not have.',
    tokenTooManyToday: 'No token was created: you have created as many as are allowed in a day.',
    tokenTooMany: 'No token was created: you already have as many as are allowed. End one first.',
    ...connections,
    // The choice of an organisation.
    whichOrganisation: 'Which organisation?',
    oneOrganisation:
      'You belong to several organisations. {resource} learns which one you choose, and the app acts only for that one.',
    organisation: 'Organisation',
    continue: 'Continue',
    noSuchOrganisation: 'This organisation cannot be chosen.',
    // The page that stays when an app has its answer.
    granted: 'You can close this page',
    notGranted: 'No access was given',
    answerSent: 'The answer is on its way to the app at {place}.',
    close: 'If the app does not come to the front, open it here. You can then close this page.',
    openApp: 'Open the app',
    // The pages on which a person enters the code of a device.
    connectDevice: 'Connect a device',
    enterCode: 'Enter the code that your device or your terminal shows. Never enter a code that somebody sent you.',
    deviceCode: 'Code of the device',
    codeRefused:
      'This code can’t be used: it is misspelt, more than ten minutes old, or was entered before. Check it, or start again on the device.',
    sameCode: 'Does your device show this code?',
    deviceAsks:
      'A device with this code asks for access to your account. The next page says which app it is, and what for.',
    isMyDevice: 'Yes, this is my device',
    deviceGranted: 'Your device has access',
    returnToDevice: 'Go back to your device, where it goes on in a few seconds. You can close this page.',
    deviceNotGranted: 'The device got no access. You can close this page.',
    startAgainOnDevice: 'Start again on your device.',
    deviceOver: 'The code of the device has expired, or was used already. Start again on your device.',
    enterAgain: 'Open the page for the code again, and enter it once more.',
    deviceGotNothing: 'The device got no access.',
    // The error page.
    reference: 'If the problem persists, tell the operator this reference:',
    returnToApp: 'Return to the app at {place}',
    appWaits:
      'The app is waiting for an answer at {place}. Go there only if you know it and have just used it. Otherwise close this page.',
    nothingHereTitle: 'Nothing here',
    nothingHere: 'There is nothing at this address.',
    tooManyRequestsTitle: 'Too many requests',
    tooManyRequests: 'Too many requests from your address. Try again in a moment.',
    waitAMoment: 'Wait a moment, then try again.',
    wentWrongTitle: 'Something went wrong',
    wentWrong: 'Something went wrong on our side. Please try again.',
    noAnswerYet: 'Try again in a moment. Your app has not received an answer yet.',
    didNotWorkTitle: 'This did not work',
    connectAgain: 'Go back to your app and connect again.',
    unreadable: 'The request could not be read.',
    tooLarge: 'The request body is too large.',
    onlyGet: 'Only GET is allowed here.',
    onlyPost: 'Only POST is allowed here.',
    onlyGetAndPost: 'Only GET and POST are allowed here.',
    // A sign-in that can't continue.
    cantContinueTitle: 'This sign-in can’t continue',
    over: 'This sign-in has ended: it took too long or is already finished.',
    overAfterUpstream: 'This sign-in has ended: it is already finished, or it took longer than ten minutes.',
    noCookie:
      'Your browser did not send the cookie of this sign-in. Either it blocks cookies of this site, or the sign-in started in another browser or a private window. Allow cookies and use one browser for the whole sign-in.',
    foreignAnswer: 'The answer does not belong to a sign-in that is in progress at this address, so nothing was done.',
    notAForm: 'The answer must be a form (application/x-www-form-urlencoded).',
    clientGone: 'The app that sent you here is no longer registered. Remove the server in your app and add it again.',
    addressGone:
      'The app has removed the address for the answer in the meantime, so nothing was sent there. Go back to your app and connect again.',
    otherSession: 'Somebody has signed in or out in another tab of this browser, so this page is out of date.',
    chooseHow: 'Choose how to sign in.',
    noSuchWay: 'This way to sign in does not exist on this server.',
    otherRequest: 'This sign-in belongs to another request.',
    outOfDate: 'This page is out of date, so nothing was done.',
    otherSite: 'This form was sent from another site, so nothing was done.',
    // A request that the engine refuses.
    unknownAppTitle: 'This app is not registered here',
    unknownApp:
      'The app that sent you here is unknown to this server, or its registration has expired. Remove the server in your app, add it again, and sign in once more.',
    unknownAddressTitle: 'This app asked for an address it did not register',
    unknownAddress:
      'To keep your account safe, nothing was sent there. Remove the server in your app, add it again, and sign in once more.',
    nothingPermittedTitle: 'This account may not have what the app asks for',
    nothingPermitted: 'This server does not let this account have any of it, so the app got no access.',
    ifPermitted:
      'If you have another account that may have it, sign out of this server and connect the app again. Otherwise ask the operator of this server.',
    ownFaultTitle: 'Something went wrong on our side',
    ownFault: 'Nothing was changed. Go back to your app and try again in a moment.',
    cantProcessTitle: 'This request can’t be processed',
    cantProcess: 'The app that sent you here asked for something that this server can’t do.',
    forTheMaker: 'For the maker of the app:',
    // The document of a client.
    notAcceptedTitle: 'This app is not accepted here',
    notAccepted:
      'This server does not accept apps that are published by {host}. Nothing was sent there. If you need the app, ask the operator of this server.',
    notCheckedTitle: 'This app could not be checked',
    notReached:
      'The app claims to be published by {host}, but this server could not reach {host}. Go back to the app and try again in a minute. If the problem persists, tell the operator of this server.',
    hostFailed:
      'The app claims to be published by {host}, but {host} answered with a server error. Go back to the app and try again in a few minutes. If the problem persists, tell the maker of the app.',
    documentWithheld:
      'The app claims to be published by {host}, but {host} does not give this server the document. Trying again will probably not help. Tell the operator of this server.',
    documentUnusable:
      'The app claims to be published by {host}, but its document there is missing or invalid. Trying again will not help until the maker of the app has fixed it, so tell them.',
    tooManyAppsTitle: 'Too many apps at once',
    tooManyApps:
      'This server got requests from too many new apps, or too many for {host}. Wait a moment, then go back to the app and try again.',
  },
} as const;
