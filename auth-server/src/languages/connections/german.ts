/** Owns the German texts about accounts that tools use for a person. */

export const german = {
  // The page of a link that an app shows.
  linkPageName: '{provider} verbinden?',
  linkHeading: 'Ihr Konto bei {provider} verbinden?',
  linkAsks: '{client} verwendet Werkzeuge, die es brauchen.',
  linkAbilities: 'Die Werkzeuge dürfen dann',
  linkHere: 'Hier angemeldet als',
  linkThere: 'Zurzeit verbunden',
  linkFurther:
    'Die App selbst bekommt nie ein Token von {provider}. Werkzeuge nutzen das Konto für Sie in dieser App, in anderen nur, wenn Sie es auch dort erlauben, bis Sie es auf der Seite {account} trennen.',
  linkWarning:
    'Fahren Sie nur fort, wenn eine App, die Sie gerade benutzen, Ihnen diesen Link eben gezeigt hat. Hat Ihnen jemand den Link geschickt, wählen Sie „Abbrechen“.',
  cancel: 'Abbrechen',
  linkForOther: 'Dieser Link ist für ein anderes Konto',
  linkForOtherExplained:
    'Sie sind hier als {person} angemeldet, und der Link wurde für jemand anderen erstellt. Es wurde nichts verbunden.',
  linkForOtherSent:
    'Hat Ihnen jemand den Link geschickt, schließen Sie diese Seite. Vielleicht sollen Ihre Konten für ihn benutzt werden.',
  linkForOtherOwn:
    'Hat Ihnen eine eigene App den Link eben gezeigt, melden Sie sich hier mit dem Konto an, das Sie in der App verwenden.',
  linkOver: 'Dieser Link gilt nicht mehr: Er wurde schon benutzt oder ist älter als zehn Minuten.',
  linkAgain: 'Gehen Sie zurück zu Ihrer App und versuchen Sie es dort noch einmal. Sie zeigt einen neuen Link.',
  // The end of it.
  connected: '{provider} ist verbunden',
  connectedAs: 'Werkzeuge können jetzt das Konto {name} für Sie nutzen.',
  connectedNow: 'Werkzeuge können jetzt Ihr Konto für Sie nutzen.',
  connectedPart: '{provider} hat nicht alles erlaubt, wonach gefragt wurde. Ein Werkzeug fragt vielleicht noch einmal.',
  goOnInApp: 'Gehen Sie zurück zu Ihrer App und machen Sie dort weiter. Diese Seite können Sie schließen.',
  notConnected: 'Es wurde nichts verbunden',
  seeConnections: 'Verbundene Konten ansehen',
  connectionDenied: 'Es wurde nichts verbunden: {provider} hat abgelehnt, oder Sie haben dort abgebrochen.',
  connectionFailed: 'Es wurde nichts verbunden, weil {provider} nicht wie erwartet geantwortet hat.',
  connectionNotTheirs:
    'Es wurde nichts verbunden: Das Konto, das Sie bei {provider} gewählt haben, kann nicht mit Ihrem verbunden werden. Wenn Sie sich hier mit {provider} anmelden, wählen Sie dort dieses Konto.',
  // The account page.
  connectionsHeading: 'Verbundene Konten',
  connectionsExplained:
    'Werkzeuge nutzen diese Konten für Sie, in den Apps, für die Sie sie verbunden oder erlaubt haben. Keine App bekommt ein Token davon. Wenn Sie ein Konto trennen, verlieren die Werkzeuge es binnen einer Minute.',
  noConnections:
    'Kein Konto ist verbunden. Wenn ein Werkzeug eines braucht, zeigt Ihnen Ihre App einen Link, um es zu verbinden.',
  connectionName: 'Konto',
  connectionFor: 'Verbunden für',
  connectionEnded:
    '{provider} nimmt diese Verbindung nicht mehr an. Wenn ein Werkzeug sie braucht, zeigt Ihnen Ihre App einen Link.',
  disconnect: '{provider} trennen',
  // The scope on the sign-in page.
  scopeOfUpstream: 'Ihr Konto bei {provider} mit Werkzeugen nutzen',
  upstreamAsks: '{provider} fragt Sie nach dieser Seite ebenfalls.',
  // What tools may do at an upstream.
  upstreamUsual: 'Tun, was {provider} auf seiner eigenen Seite nennt',
  upstreamProfile: 'Ihr Profil lesen',
  upstreamEmail: 'Ihre E-Mail-Adressen lesen',
  upstreamUser: 'Ihr Profil lesen und ändern',
  upstreamOrganisations: 'Ihre Organisationen und Teams sehen',
  upstreamRepositories: 'Ihre Repositorys lesen und ändern, auch die privaten',
  upstreamPublicRepositories: 'Ihre öffentlichen Repositorys lesen und ändern',
  upstreamGists: 'Gists anlegen und ändern',
  upstreamMailRead: 'Ihre E-Mails lesen',
  upstreamMailSend: 'E-Mails in Ihrem Namen senden',
  upstreamCalendarRead: 'Ihre Kalender lesen',
  upstreamCalendar: 'Ihre Kalender lesen und ändern',
  upstreamFilesRead: 'Ihre Dateien lesen',
  upstreamFiles: 'Ihre Dateien lesen und ändern',
  upstreamContacts: 'Ihre Kontakte lesen',
  upstreamOffline: 'Weiterarbeiten, während Sie abwesend sind',
} as const;
