/** Owns the German texts of the pages. */
import { german as connections } from './connections/german.ts';
import type { Language } from './language.ts';

export const german: Language = {
  tag: 'de',
  direction: 'ltr',
  texts: {
    // The sign-in page.
    pageName: '{client} zulassen?',
    heading: 'Darf {client} auf {resource} zugreifen?',
    namelessClient: 'eine App ohne Namen',
    abilities: 'Die App darf dann',
    permission: 'Die Berechtigung {name} nutzen',
    scopeTools: 'Die Werkzeuge dieses Servers in Ihrem Namen verwenden',
    scopeStatus: 'Den Zustand dieses Servers sehen: Version, Laufzeit und offene Sitzungen',
    learns: 'App und Server erfahren dann',
    learnsName: 'Ihren Namen',
    learnsUsername: 'Ihren Benutzernamen',
    learnsEmail: 'Ihre E-Mail-Adresse',
    learnsGroups: 'Ihre Gruppen',
    learnsRoles: 'Ihre Rollen',
    learnsOrg: 'Ihre Organisation',
    readOnly: 'nur lesend',
    tools: 'Werkzeuge: {count}',
    moreTools: { one: 'und {count} weiteres', other: 'und {count} weitere' },
    saysItIsFrom: 'Angeblich von',
    publishedBy: 'Veröffentlicht von',
    onTheServer: 'Auf dem Server',
    accessGoesTo: 'Zugriff erhält',
    copyNote:
      'Dieser Server kann das Dokument der App bei {host} zurzeit nicht lesen. Die Angaben auf dieser Seite stammen aus einer Kopie, die der Betreiber dieses Servers am {date} abgerufen hat.',
    known: 'bekannt',
    addedByOperator: 'Der Betreiber dieses Servers hat diese App eingetragen.',
    unverified: 'ungeprüft',
    choseItsName: 'Die App hat diesen Namen selbst gewählt.',
    gaveNoName: 'Die App hat keinen Namen angegeben.',
    continueWith: 'Weiter mit {provider}',
    signedInAs: 'Als {person}',
    through: 'über {provider}',
    lastAccount: 'das zuletzt verwendete Konto',
    approve: 'Zulassen',
    notYou: 'Sind Sie das nicht? Anderes Konto verwenden',
    deny: 'Ablehnen',
    notExpecting: 'Sie haben das nicht erwartet? Dann wählen Sie „Ablehnen“.',
    support: 'Hilfe',
    privacy: 'Datenschutz',
    // The destination of an answer.
    program: 'ein Programm auf diesem Computer',
    website: 'eine Website',
    app: 'eine App auf diesem Gerät',
    programWarning:
      'Jedes Programm auf diesem Computer kann eine solche Anfrage senden. Fahren Sie nur fort, wenn Sie das Programm gerade selbst gestartet haben.',
    programOfWarning:
      'Jedes Programm auf diesem Computer kann behaupten, von {publisher} zu sein. Fahren Sie nur fort, wenn Sie das Programm gerade selbst gestartet haben.',
    device: 'ein Gerät, das diesen Code zeigt',
    deviceWarning:
      'Fahren Sie nur fort, wenn Sie diese Anmeldung selbst begonnen haben und ein Gerät vor Ihnen diesen Code zeigt. Wenn Ihnen jemand den Code oder einen Link zu dieser Seite geschickt hat oder ihn vorliest, will er Zugriff auf Ihr Konto: Wählen Sie „Ablehnen“.',
    appWarning:
      'Jede App auf diesem Gerät kann diese Adresse beanspruchen. Fahren Sie nur fort, wenn Sie die App gerade selbst gestartet haben.',
    // The page for a person who may not come in.
    notAdmittedTitle: 'Dieses Konto ist nicht zugelassen',
    signedInWith: 'Sie haben sich mit {provider} angemeldet.',
    signedInAsWith: 'Sie haben sich als {person} mit {provider} angemeldet.',
    notAdmitted: 'Dieser Server lässt dieses Konto nicht zu, deshalb hat die App keinen Zugriff erhalten.',
    ifAdmitted:
      'Wenn Sie ein anderes Konto haben, das zugelassen ist, verwenden Sie dieses. Wenden Sie sich sonst an {operator}.',
    operator: 'den Betreiber dieses Servers',
    useAnother: 'Anderes Konto verwenden',
    returnWithout: 'Ohne Zugriff zurück zur App',
    answerComes: 'Wenn Sie nichts tun, kehrt diese Seite nach zehn Sekunden zur App zurück.',
    reasonReference: 'Unter dieser Referenz findet der Betreiber den Grund:',
    // Signing out.
    signOut: 'Abmelden',
    signOutQuestion: 'Von diesem Server abmelden?',
    signedInHere: 'In diesem Browser sind Sie als {person} angemeldet.',
    signedOut: 'Sie sind abgemeldet',
    notSignedIn: 'Sie sind nicht angemeldet',
    appsKeepAccess:
      'Apps, die Sie zugelassen haben, behalten ihren Zugriff, bis er abläuft oder Sie ihn auf der Seite {account} beenden.',
    stillSignedIn: 'Bei {provider} sind Sie vielleicht noch angemeldet.',
    signOutThere: 'Auch bei {provider} abmelden',
    // Signing in to a page of this server, without an app.
    signInHere: 'Bei diesem Server anmelden',
    signInOnceMore:
      'Für diese Seite müssen Sie sich in den letzten Minuten angemeldet haben. Melden Sie sich noch einmal an.',
    notAdmittedHere: 'Dieser Server lässt dieses Konto nicht zu.',
    pageSignInDenied:
      'Sie sind nicht angemeldet: {provider} hat die Anmeldung abgelehnt, oder Sie haben sie abgebrochen.',
    pageSignInFailed: 'Sie sind nicht angemeldet, weil {provider} nicht wie erwartet geantwortet hat.',
    notProvenAgain: 'Sie sind nicht angemeldet, weil {provider} keine neue Anmeldung von Ihnen verlangt hat.',
    signedOutMeanwhile: 'Sie haben sich während dieser Anmeldung überall abgemeldet, deshalb zählt sie nicht.',
    openPageAgain: 'Öffnen Sie die Seite neu.',
    // The account page.
    account: 'Ihr Konto',
    connectedApps: 'Verbundene Apps',
    connectedExplained:
      'Eine App erneuert ihren Zugriff alle paar Minuten, solange sie verwendet wird, und mehr sieht dieser Server nicht von ihr. „Zuletzt verwendet“ ist deshalb die letzte Erneuerung. Wenn Sie den Zugriff einer App beenden, endet er innerhalb von Sekunden.',
    nothingConnected: 'Keine App hat in Ihrem Namen auf etwas Zugriff.',
    moreApps: 'Weitere Apps',
    goneClient: 'eine App, die nicht mehr registriert ist',
    mayDo: 'Darf',
    connectedFrom: 'Verbunden über',
    fromBrowser: 'einen Browser',
    fromDevice: 'ein Gerät, das einen Code angezeigt hat',
    fromEnterprise: 'Ihre Organisation, die diese App für Sie erlaubt hat',
    connectedSince: 'Seit',
    lastRenewed: 'Zuletzt verwendet',
    endsByItself: 'Endet von selbst',
    endAccessOf: 'Zugriff von {client} beenden',
    endAllQuestion: 'Alles beenden',
    endAllExplained:
      'Das beendet den Zugriff aller Apps und alle persönlichen Token, trennt die Konten, die Werkzeuge für Sie nutzen, und meldet Sie in allen Browsern ab. Verwenden Sie es, wenn Sie glauben, dass jemand anders Zugriff auf Ihr Konto hat.',
    endAll: 'Jeden Zugriff beenden und überall abmelden',
    allAccessEnded: 'Keine App hat mehr in Ihrem Namen Zugriff. Eine App, die Sie verwenden, fragt Sie von neuem.',
    signOutHeading: 'Abmelden',
    signOutExplained: 'Apps behalten ihren Zugriff, wenn Sie sich abmelden.',
    signOutHere: 'In diesem Browser abmelden',
    signOutEverywhere: 'In allen Browsern abmelden',
    // Personal tokens, on the account page.
    tokensHeading: 'Persönliche Token',
    tokensExplained:
      'Für ein Programm, das nur einen festen Header senden kann (einen API-Schlüssel). Wer ein Token hat, kann es bis zu seinem Ende in Ihrem Namen benutzen. Geben Sie deshalb jedem Programm ein eigenes.',
    tokenLives: 'Erstellt am {created}, endet am {end}',
    tokenEnd: 'Beenden',
    tokenEndNamed: '{name} beenden',
    tokenNew: 'Neues Token für {server}',
    tokenName: 'Name des Programms',
    tokenLife: 'Endet nach',
    tokenScopes: 'Mit diesem Token kann das Programm',
    tokenLearns: 'Der Server erfährt',
    tokenCreate: 'Token erstellen',
    tokenShown: 'Das Token für {name}',
    tokenCopy: 'Kopieren Sie es jetzt. Es wird nicht noch einmal angezeigt.',
    tokenItself: 'Ihr neues Token',
    tokenMade:
      'Dieses Token wurde schon erstellt und wird nicht noch einmal angezeigt. Wenn Sie es nicht kopiert haben, beenden Sie es und erstellen Sie ein neues.',
    tokenBadName: 'Es wurde kein Token erstellt: Der Name braucht 1 bis 60 Zeichen.',
    tokenNotAllowed:
      'Es wurde kein Token erstellt: Es war nichts gewählt, oder etwas, das dieses Konto nicht haben darf.',
    tokenTooManyToday: 'Es wurde kein Token erstellt: Sie haben heute schon so viele wie möglich erstellt.',
    tokenTooMany: 'Es wurde kein Token erstellt: Sie haben schon so viele wie möglich. Beenden Sie zuerst eines.',
    ...connections,
    // The choice of an organisation.
    whichOrganisation: 'Welche Organisation?',
    oneOrganisation:
      'Sie gehören mehreren Organisationen an. {resource} erfährt, welche Sie wählen, und die App handelt nur für diese.',
    organisation: 'Ihre Organisation',
    continue: 'Weiter',
    noSuchOrganisation: 'Diese Organisation kann nicht gewählt werden.',
    // The page that stays when an app has its answer.
    granted: 'Sie können diese Seite schließen',
    notGranted: 'Es wurde kein Zugriff gewährt',
    answerSent: 'Die Antwort ist unterwegs zur App bei {place}.',
    close: 'Wenn die App nicht von selbst erscheint, öffnen Sie sie hier. Danach können Sie diese Seite schließen.',
    openApp: 'App öffnen',
    // The pages on which a person enters the code of a device.
    connectDevice: 'Ein Gerät verbinden',
    enterCode:
      'Geben Sie den Code ein, den Ihr Gerät oder Ihr Terminal zeigt. Geben Sie nie einen Code ein, den Ihnen jemand geschickt hat.',
    deviceCode: 'Code des Geräts',
    codeRefused:
      'Dieser Code kann nicht verwendet werden: Er ist falsch geschrieben, älter als zehn Minuten oder wurde schon einmal eingegeben. Prüfen Sie ihn, oder beginnen Sie am Gerät von vorn.',
    sameCode: 'Zeigt Ihr Gerät diesen Code?',
    deviceAsks:
      'Ein Gerät mit diesem Code möchte Zugriff auf Ihr Konto. Welche App es ist und worauf, steht auf der nächsten Seite.',
    isMyDevice: 'Ja, das ist mein Gerät',
    deviceGranted: 'Ihr Gerät hat Zugriff',
    returnToDevice:
      'Kehren Sie zu Ihrem Gerät zurück, dort geht es in wenigen Sekunden weiter. Sie können diese Seite schließen.',
    deviceNotGranted: 'Das Gerät hat keinen Zugriff erhalten. Sie können diese Seite schließen.',
    startAgainOnDevice: 'Beginnen Sie am Gerät von vorn.',
    deviceOver: 'Der Code des Geräts ist abgelaufen oder wurde schon verwendet. Beginnen Sie am Gerät von vorn.',
    enterAgain: 'Öffnen Sie die Seite für den Code neu, und geben Sie ihn noch einmal ein.',
    deviceGotNothing: 'Das Gerät hat keinen Zugriff erhalten.',
    // The error page.
    reference: 'Wenn das Problem bestehen bleibt, nennen Sie dem Betreiber diese Referenz:',
    returnToApp: 'Zurück zur App bei {place}',
    appWaits:
      'Die App wartet bei {place} auf eine Antwort. Gehen Sie nur dorthin, wenn Sie die App kennen und gerade verwendet haben. Schließen Sie sonst diese Seite.',
    nothingHereTitle: 'Hier ist nichts',
    nothingHere: 'Unter dieser Adresse gibt es nichts.',
    tooManyRequestsTitle: 'Zu viele Anfragen',
    tooManyRequests: 'Zu viele Anfragen von Ihrer Adresse. Versuchen Sie es in Kürze noch einmal.',
    waitAMoment: 'Warten Sie einen Moment und versuchen Sie es dann noch einmal.',
    wentWrongTitle: 'Etwas ist schiefgegangen',
    wentWrong: 'Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es noch einmal.',
    noAnswerYet: 'Versuchen Sie es in Kürze noch einmal. Ihre App hat noch keine Antwort erhalten.',
    didNotWorkTitle: 'Das hat nicht funktioniert',
    connectAgain: 'Gehen Sie zurück zu Ihrer App und verbinden Sie sie erneut.',
    unreadable: 'Die Anfrage konnte nicht gelesen werden.',
    tooLarge: 'Der Inhalt der Anfrage ist zu groß.',
    onlyGet: 'Hier ist nur GET erlaubt.',
    onlyPost: 'Hier ist nur POST erlaubt.',
    onlyGetAndPost: 'Hier sind nur GET und POST erlaubt.',
    // A sign-in that can't continue.
    cantContinueTitle: 'Diese Anmeldung kann nicht fortgesetzt werden',
    over: 'Diese Anmeldung ist beendet: Sie hat zu lange gedauert oder ist schon abgeschlossen.',
    overAfterUpstream:
      'Diese Anmeldung ist beendet: Sie ist schon abgeschlossen oder hat länger als zehn Minuten gedauert.',
    noCookie:
      'Ihr Browser hat das Cookie dieser Anmeldung nicht gesendet. Entweder blockiert er Cookies dieser Website, oder die Anmeldung begann in einem anderen Browser oder einem privaten Fenster. Erlauben Sie Cookies und verwenden Sie für die ganze Anmeldung denselben Browser.',
    foreignAnswer:
      'Die Antwort gehört zu keiner Anmeldung, die unter dieser Adresse läuft. Deshalb ist nichts geschehen.',
    notAForm: 'Die Antwort muss ein Formular sein (application/x-www-form-urlencoded).',
    clientGone:
      'Die App, die Sie hierher geschickt hat, ist nicht mehr registriert. Entfernen Sie den Server in Ihrer App und fügen Sie ihn neu hinzu.',
    addressGone:
      'Die App hat die Adresse für die Antwort inzwischen entfernt, deshalb wurde nichts dorthin gesendet. Gehen Sie zurück zu Ihrer App und verbinden Sie sie erneut.',
    otherSession:
      'In einem anderen Tab dieses Browsers hat sich jemand an- oder abgemeldet. Diese Seite ist deshalb veraltet.',
    chooseHow: 'Wählen Sie, wie Sie sich anmelden möchten.',
    noSuchWay: 'Diese Art der Anmeldung gibt es auf diesem Server nicht.',
    otherRequest: 'Diese Anmeldung gehört zu einer anderen Anfrage.',
    outOfDate: 'Diese Seite ist veraltet, deshalb ist nichts geschehen.',
    otherSite: 'Dieses Formular wurde von einer anderen Website gesendet, deshalb ist nichts geschehen.',
    // A request that the engine refuses.
    unknownAppTitle: 'Diese App ist hier nicht registriert',
    unknownApp:
      'Dieser Server kennt die App nicht, die Sie hierher geschickt hat, oder ihre Registrierung ist abgelaufen. Entfernen Sie den Server in Ihrer App, fügen Sie ihn neu hinzu und melden Sie sich noch einmal an.',
    unknownAddressTitle: 'Diese App hat eine Adresse genannt, die sie nicht registriert hat',
    unknownAddress:
      'Zum Schutz Ihres Kontos wurde nichts dorthin gesendet. Entfernen Sie den Server in Ihrer App, fügen Sie ihn neu hinzu und melden Sie sich noch einmal an.',
    nothingPermittedTitle: 'Dieses Konto hat nicht die Rechte, die die App verlangt',
    nothingPermitted: 'Dieser Server gibt diesem Konto keines davon, deshalb hat die App keinen Zugriff erhalten.',
    ifPermitted:
      'Wenn Sie ein anderes Konto haben, das diese Rechte hat, melden Sie sich von diesem Server ab und verbinden Sie die App erneut. Wenden Sie sich sonst an den Betreiber dieses Servers.',
    ownFaultTitle: 'Bei uns ist etwas schiefgegangen',
    ownFault: 'Es wurde nichts geändert. Gehen Sie zurück zu Ihrer App und versuchen Sie es in Kürze noch einmal.',
    cantProcessTitle: 'Diese Anfrage kann nicht bearbeitet werden',
    cantProcess: 'Die App, die Sie hierher geschickt hat, verlangt etwas, das dieser Server nicht kann.',
    forTheMaker: 'Für den Hersteller der App:',
    // The document of a client.
    notAcceptedTitle: 'Diese App ist hier nicht zugelassen',
    notAccepted:
      'Dieser Server lässt keine Apps zu, die von {host} veröffentlicht sind. Es wurde nichts dorthin gesendet. Wenn Sie die App brauchen, fragen Sie den Betreiber dieses Servers.',
    notCheckedTitle: 'Diese App konnte nicht geprüft werden',
    notReached:
      'Die App gibt an, von {host} veröffentlicht zu sein, aber dieser Server konnte {host} nicht erreichen. Gehen Sie zurück zur App und versuchen Sie es in einer Minute noch einmal. Wenn das Problem bestehen bleibt, wenden Sie sich an den Betreiber dieses Servers.',
    hostFailed:
      'Die App gibt an, von {host} veröffentlicht zu sein, aber {host} hat mit einem Serverfehler geantwortet. Gehen Sie zurück zur App und versuchen Sie es in einigen Minuten noch einmal. Wenn das Problem bestehen bleibt, wenden Sie sich an den Hersteller der App.',
    documentWithheld:
      'Die App gibt an, von {host} veröffentlicht zu sein, aber {host} gibt das Dokument nicht an diesen Server heraus. Ein neuer Versuch hilft wahrscheinlich nicht. Wenden Sie sich an den Betreiber dieses Servers.',
    documentUnusable:
      'Die App gibt an, von {host} veröffentlicht zu sein, aber ihr Dokument dort fehlt oder ist ungültig. Ein neuer Versuch hilft erst, wenn der Hersteller der App das behoben hat. Wenden Sie sich an ihn.',
    tooManyAppsTitle: 'Zu viele Apps auf einmal',
    tooManyApps:
      'Dieser Server hat Anfragen von zu vielen neuen Apps erhalten, oder zu viele für {host}. Warten Sie einen Moment, gehen Sie dann zurück zur App und versuchen Sie es noch einmal.',
  },
};
