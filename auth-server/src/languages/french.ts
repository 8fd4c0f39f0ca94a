/** Owns the French texts of the pages. */
import { french as connections } from './connections/french.ts';
import type { ByNumber, Language } from './language.ts';

/** A sign of two parts stands on the line of its word. */
const unbroken = (text: string): string => text.replace(/ (?=[?!:;»])|(?<=«) /g, '\u00a0');

const typeset = <Texts extends Readonly<Record<string, string | ByNumber>>>(texts: Texts): Texts =>
  Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, typeof text === 'string' ? unbroken(text) : text]),
  ) as Texts;

export const french: Language = {
  tag: 'fr',
  direction: 'ltr',
  texts: typeset({
    // The sign-in page.
    pageName: 'Autoriser {client} ?',
    heading: 'Autoriser {client} à utiliser {resource} ?',
    namelessClient: 'une application sans nom',
    abilities: 'L’application pourra',
    permission: 'Utiliser l’autorisation {name}',
    scopeTools: 'Utiliser les outils de ce serveur en votre nom',
    scopeStatus: 'Voir l’état de ce serveur : version, durée de fonctionnement et sessions ouvertes',
    learns: 'L’application et le serveur connaîtront',
    learnsName: 'Votre nom',
    learnsUsername: 'Votre nom d’utilisateur',
    learnsEmail: 'Votre adresse e-mail',
    learnsGroups: 'Vos groupes',
    learnsRoles: 'Vos rôles',
    learnsOrg: 'Votre organisation',
    readOnly: 'lecture seule',
    tools: 'Outils : {count}',
    moreTools: { one: 'et {count} autre', other: 'et {count} autres' },
    saysItIsFrom: 'Prétend venir de',
    publishedBy: 'Publiée par',
    onTheServer: 'Sur le serveur',
    accessGoesTo: 'L’accès est accordé à',
    copyNote:
      'Ce serveur ne peut pas lire le document de l’application sur {host} pour le moment. Les informations de cette page proviennent d’une copie que l’opérateur de ce serveur a récupérée le {date}.',
    known: 'connue',
    addedByOperator: 'L’opérateur de ce serveur a ajouté cette application.',
    unverified: 'non vérifiée',
    choseItsName: 'L’application a choisi ce nom elle-même.',
    gaveNoName: 'L’application n’a pas donné de nom.',
    continueWith: 'Continuer avec {provider}',
    signedInAs: 'En tant que {person}',
    through: 'via {provider}',
    lastAccount: 'le dernier compte utilisé',
    approve: 'Autoriser',
    notYou: 'Ce n’est pas vous ? Utiliser un autre compte',
    deny: 'Refuser',
    notExpecting: 'Vous ne vous y attendiez pas ? Choisissez « Refuser ».',
    support: 'Aide',
    privacy: 'Confidentialité',
    // The destination of an answer.
    program: 'un programme sur cet ordinateur',
    website: 'un site web',
    app: 'une application sur cet appareil',
    programWarning:
      'N’importe quel programme sur cet ordinateur peut envoyer une telle demande. Ne continuez que si vous venez de lancer le programme vous-même.',
    programOfWarning:
      'N’importe quel programme sur cet ordinateur peut prétendre venir de {publisher}. Ne continuez que si vous venez de lancer le programme vous-même.',
    device: 'un appareil qui affiche ce code',
    deviceWarning:
      'Continuez seulement si vous avez commencé cette connexion vous-même et qu’un appareil devant vous affiche ce code. Si quelqu’un vous a envoyé le code ou un lien vers cette page, ou vous le dicte, il veut accéder à votre compte : choisissez « Refuser ».',
    appWarning:
      'N’importe quelle application sur cet appareil peut revendiquer cette adresse. Ne continuez que si vous venez de lancer l’application vous-même.',
    // The page for a person who may not come in.
    notAdmittedTitle: 'Ce compte n’est pas admis',
    signedInWith: 'Vous vous êtes connecté avec {provider}.',
    signedInAsWith: 'Vous vous êtes connecté en tant que {person} avec {provider}.',
    notAdmitted: 'Ce serveur n’admet pas ce compte. L’application n’a donc obtenu aucun accès.',
    ifAdmitted: 'Si vous avez un autre compte qui est admis, utilisez-le. Sinon, adressez-vous à {operator}.',
    operator: 'l’opérateur de ce serveur',
    useAnother: 'Utiliser un autre compte',
    returnWithout: 'Revenir à l’application sans accès',
    answerComes: 'Sans action de votre part, cette page revient à l’application au bout de dix secondes.',
    reasonReference: 'Cette référence permet à l’opérateur de retrouver la raison :',
    // Signing out.
    signOut: 'Se déconnecter',
    signOutQuestion: 'Se déconnecter de ce serveur ?',
    signedInHere: 'Dans ce navigateur, vous êtes connecté en tant que {person}.',
    signedOut: 'Vous êtes déconnecté',
    notSignedIn: 'Vous n’êtes pas connecté',
    appsKeepAccess:
      'Les applications que vous avez autorisées gardent leur accès jusqu’à ce qu’il expire ou que vous y mettiez fin sur la page {account}.',
    stillSignedIn: 'Vous êtes peut-être encore connecté chez {provider}.',
    signOutThere: 'Se déconnecter aussi chez {provider}',
    // Signing in to a page of this server, without an app.
    signInHere: 'Se connecter à ce serveur',
    signInOnceMore:
      'Pour cette page, vous devez vous être connecté dans les dernières minutes. Connectez-vous encore une fois.',
    notAdmittedHere: 'Ce serveur n’admet pas ce compte.',
    pageSignInDenied: 'Vous n’êtes pas connecté : {provider} a refusé la connexion, ou vous l’avez annulée.',
    pageSignInFailed: 'Vous n’êtes pas connecté, car {provider} n’a pas répondu comme prévu.',
    notProvenAgain: 'Vous n’êtes pas connecté, car {provider} ne vous a pas demandé une nouvelle connexion.',
    signedOutMeanwhile: 'Vous vous êtes déconnecté partout pendant cette connexion, elle ne compte donc pas.',
    openPageAgain: 'Ouvrez de nouveau la page.',
    // The account page.
    account: 'Votre compte',
    connectedApps: 'Applications connectées',
    connectedExplained:
      'Une application renouvelle son accès à quelques minutes d’intervalle tant qu’elle est utilisée, et ce serveur ne voit rien d’autre d’elle. « Dernière utilisation » est donc le dernier renouvellement. Si vous mettez fin à l’accès d’une application, elle le perd en quelques secondes.',
    nothingConnected: 'Aucune application n’a d’accès en votre nom.',
    moreApps: 'Autres applications',
    goneClient: 'une application qui n’est plus enregistrée',
    mayDo: 'Peut',
    connectedFrom: 'Connectée via',
    fromBrowser: 'un navigateur',
    fromDevice: 'un appareil qui affichait un code',
    fromEnterprise: 'votre organisation, qui a autorisé cette application pour vous',
    connectedSince: 'Depuis',
    lastRenewed: 'Dernière utilisation',
    endsByItself: 'Se termine d’elle-même',
    endAccessOf: 'Mettre fin à l’accès de {client}',
    endAllQuestion: 'Mettre fin à tout',
    endAllExplained:
      'Cela met fin à l’accès de toutes les applications et à tous les jetons personnels, dissocie les comptes que des outils utilisent pour vous, et vous déconnecte dans tous les navigateurs. Faites-le si vous pensez que quelqu’un d’autre a accès à votre compte.',
    endAll: 'Mettre fin à tous les accès et se déconnecter partout',
    allAccessEnded:
      'Plus aucune application n’a d’accès en votre nom. Une application que vous utilisez vous demandera de nouveau.',
    signOutHeading: 'Se déconnecter',
    signOutExplained: 'Les applications gardent leur accès quand vous vous déconnectez.',
    signOutHere: 'Se déconnecter dans ce navigateur',
    signOutEverywhere: 'Se déconnecter dans tous les navigateurs',
    // Personal tokens, on the account page.
    tokensHeading: 'Jetons personnels',
    tokensExplained:
      'Pour un programme qui ne peut envoyer qu’un en-tête fixe (une clé d’API). Quiconque possède un jeton peut l’utiliser en votre nom jusqu’à sa fin ; donnez donc à chaque programme le sien.',
    tokenLives: 'Créé le {created}, prend fin le {end}',
    tokenEnd: 'Mettre fin',
    tokenEndNamed: 'Mettre fin à {name}',
    tokenNew: 'Nouveau jeton pour {server}',
    tokenName: 'Nom du programme',
    tokenLife: 'Prend fin après',
    tokenScopes: 'Avec ce jeton, le programme pourra',
    tokenLearns: 'Le serveur apprendra',
    tokenCreate: 'Créer le jeton',
    tokenShown: 'Le jeton pour {name}',
    tokenCopy: 'Copiez-le maintenant. Il ne sera plus affiché.',
    tokenItself: 'Votre nouveau jeton',
    tokenMade:
      'Ce jeton a déjà été créé et ne sera plus affiché. Si vous ne l’avez pas copié, mettez-y fin et créez-en un autre.',
    tokenBadName: 'Aucun jeton n’a été créé : le nom doit avoir de 1 à 60 caractères.',
    tokenNotAllowed:
      'Aucun jeton n’a été créé : rien n’était choisi, ou quelque chose que ce compte ne peut pas avoir.',
    tokenTooManyToday: 'Aucun jeton n’a été créé : vous en avez déjà créé autant que permis en un jour.',
    tokenTooMany: 'Aucun jeton n’a été créé : vous en avez déjà autant que permis. Mettez d’abord fin à l’un d’eux.',
    ...connections,
    // The choice of an organisation.
    whichOrganisation: 'Quelle organisation ?',
    oneOrganisation:
      'Vous appartenez à plusieurs organisations. {resource} connaîtra celle que vous choisissez, et l’application n’agira que pour elle.',
    organisation: 'Votre organisation',
    continue: 'Continuer',
    noSuchOrganisation: 'Cette organisation ne peut pas être choisie.',
    // The page that stays when an app has its answer.
    granted: 'Vous pouvez fermer cette page',
    notGranted: 'Aucun accès n’a été donné',
    answerSent: 'La réponse est en cours d’envoi à l’application, à l’adresse {place}.',
    close: 'Si l’application n’apparaît pas d’elle-même, ouvrez-la ici. Vous pouvez ensuite fermer cette page.',
    openApp: 'Ouvrir l’application',
    // The pages on which a person enters the code of a device.
    connectDevice: 'Connecter un appareil',
    enterCode:
      'Entrez le code qu’affiche votre appareil ou votre terminal. N’entrez jamais un code que quelqu’un vous a envoyé.',
    deviceCode: 'Code de l’appareil',
    codeRefused:
      'Ce code ne peut pas être utilisé : il est mal écrit, a plus de dix minutes ou a déjà été entré. Vérifiez-le, ou recommencez sur l’appareil.',
    sameCode: 'Votre appareil affiche-t-il ce code ?',
    deviceAsks:
      'Un appareil avec ce code demande l’accès à votre compte. La page suivante dit de quelle application il s’agit et à quoi elle accède.',
    isMyDevice: 'Oui, c’est mon appareil',
    deviceGranted: 'Votre appareil a accès',
    returnToDevice:
      'Retournez à votre appareil, où la suite arrive dans quelques secondes. Vous pouvez fermer cette page.',
    deviceNotGranted: 'L’appareil n’a pas obtenu l’accès. Vous pouvez fermer cette page.',
    startAgainOnDevice: 'Recommencez sur votre appareil.',
    deviceOver: 'Le code de l’appareil a expiré ou a déjà été utilisé. Recommencez sur votre appareil.',
    enterAgain: 'Rouvrez la page du code et entrez-le encore une fois.',
    deviceGotNothing: 'L’appareil n’a pas obtenu l’accès.',
    // The error page.
    reference: 'Si le problème persiste, donnez cette référence à l’opérateur :',
    returnToApp: 'Revenir à l’application ({place})',
    appWaits:
      'L’application attend une réponse à l’adresse {place}. N’y allez que si vous connaissez l’application et venez de l’utiliser. Sinon, fermez cette page.',
    nothingHereTitle: 'Rien ici',
    nothingHere: 'Il n’y a rien à cette adresse.',
    tooManyRequestsTitle: 'Trop de demandes',
    tooManyRequests: 'Trop de demandes depuis votre adresse. Réessayez dans un instant.',
    waitAMoment: 'Attendez un instant, puis réessayez.',
    wentWrongTitle: 'Un problème est survenu',
    wentWrong: 'Un problème est survenu de notre côté. Veuillez réessayer.',
    noAnswerYet: 'Réessayez dans un instant. Votre application n’a pas encore reçu de réponse.',
    didNotWorkTitle: 'Cela n’a pas fonctionné',
    connectAgain: 'Revenez à votre application et connectez-la à nouveau.',
    unreadable: 'La demande n’a pas pu être lue.',
    tooLarge: 'Le contenu de la demande est trop volumineux.',
    onlyGet: 'Seul GET est autorisé ici.',
    onlyPost: 'Seul POST est autorisé ici.',
    onlyGetAndPost: 'Seuls GET et POST sont autorisés ici.',
    // A sign-in that can't continue.
    cantContinueTitle: 'Impossible de poursuivre cette connexion',
    over: 'Cette connexion est terminée : elle a duré trop longtemps ou est déjà achevée.',
    overAfterUpstream: 'Cette connexion est terminée : elle est déjà achevée ou a duré plus de dix minutes.',
    noCookie:
      'Votre navigateur n’a pas envoyé le cookie de cette connexion. Soit il bloque les cookies de ce site, soit la connexion a commencé dans un autre navigateur ou une fenêtre privée. Autorisez les cookies et utilisez un seul navigateur pour toute la connexion.',
    foreignAnswer: 'La réponse n’appartient à aucune connexion en cours à cette adresse. Rien n’a donc été fait.',
    notAForm: 'La réponse doit être un formulaire (application/x-www-form-urlencoded).',
    clientGone:
      'L’application qui vous a envoyé ici n’est plus enregistrée. Supprimez le serveur dans votre application et ajoutez-le à nouveau.',
    addressGone:
      'Entre-temps, l’application a supprimé l’adresse de la réponse. Rien n’y a donc été envoyé. Revenez à votre application et connectez-la à nouveau.',
    otherSession:
      'Quelqu’un s’est connecté ou déconnecté dans un autre onglet de ce navigateur. Cette page n’est donc plus à jour.',
    chooseHow: 'Choisissez comment vous connecter.',
    noSuchWay: 'Ce moyen de connexion n’existe pas sur ce serveur.',
    otherRequest: 'Cette connexion appartient à une autre demande.',
    outOfDate: 'Cette page n’est plus à jour. Rien n’a donc été fait.',
    otherSite: 'Ce formulaire a été envoyé depuis un autre site. Rien n’a donc été fait.',
    // A request that the engine refuses.
    unknownAppTitle: 'Cette application n’est pas enregistrée ici',
    unknownApp:
      'L’application qui vous a envoyé ici est inconnue de ce serveur, ou son enregistrement a expiré. Supprimez le serveur dans votre application, ajoutez-le à nouveau et reconnectez-vous.',
    unknownAddressTitle: 'Cette application a demandé une adresse qu’elle n’a pas enregistrée',
    unknownAddress:
      'Pour protéger votre compte, rien n’y a été envoyé. Supprimez le serveur dans votre application, ajoutez-le à nouveau et reconnectez-vous.',
    nothingPermittedTitle: 'Ce compte n’a pas droit à ce que l’application demande',
    nothingPermitted: 'Ce serveur n’en accorde rien à ce compte. L’application n’a donc obtenu aucun accès.',
    ifPermitted:
      'Si vous avez un autre compte qui y a droit, déconnectez-vous de ce serveur et reconnectez l’application. Sinon, adressez-vous à l’opérateur de ce serveur.',
    ownFaultTitle: 'Un problème est survenu de notre côté',
    ownFault: 'Rien n’a été modifié. Revenez à votre application et réessayez dans un instant.',
    cantProcessTitle: 'Cette demande ne peut pas être traitée',
    cantProcess: 'L’application qui vous a envoyé ici demande quelque chose que ce serveur ne peut pas faire.',
    forTheMaker: 'Pour l’éditeur de l’application :',
    // The document of a client.
    notAcceptedTitle: 'Cette application n’est pas acceptée ici',
    notAccepted:
      'Ce serveur n’accepte pas les applications publiées par {host}. Rien n’y a été envoyé. Si vous avez besoin de l’application, adressez-vous à l’opérateur de ce serveur.',
    notCheckedTitle: 'Cette application n’a pas pu être vérifiée',
    notReached:
      'L’application prétend être publiée par {host}, mais ce serveur n’a pas pu joindre {host}. Revenez à l’application et réessayez dans une minute. Si le problème persiste, informez l’opérateur de ce serveur.',
    hostFailed:
      'L’application prétend être publiée par {host}, mais {host} a répondu par une erreur du serveur. Revenez à l’application et réessayez dans quelques minutes. Si le problème persiste, informez l’éditeur de l’application.',
    documentWithheld:
      'L’application prétend être publiée par {host}, mais {host} ne donne pas le document à ce serveur. Réessayer ne servira probablement à rien. Informez l’opérateur de ce serveur.',
    documentUnusable:
      'L’application prétend être publiée par {host}, mais son document y est absent ou invalide. Réessayer ne servira à rien tant que l’éditeur de l’application ne l’a pas corrigé. Informez-le.',
    tooManyAppsTitle: 'Trop d’applications à la fois',
    tooManyApps:
      'Ce serveur a reçu des demandes de trop de nouvelles applications, ou trop de demandes pour {host}. Attendez un instant, puis revenez à l’application et réessayez.',
  }),
};
