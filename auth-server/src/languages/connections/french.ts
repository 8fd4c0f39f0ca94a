/** Owns the French texts about accounts that tools use for a person. */

export const french = {
  // The page of a link that an app shows.
  linkPageName: 'Relier {provider} ?',
  linkHeading: 'Relier votre compte chez {provider} ?',
  linkAsks: '{client} utilise des outils qui en ont besoin.',
  linkAbilities: 'Les outils pourront',
  linkHere: 'Connecté ici en tant que',
  linkThere: 'Relié actuellement',
  linkFurther:
    'L’application elle-même n’obtient jamais de jeton de {provider}. Les outils utilisent le compte pour vous dans cette application, et dans d’autres seulement si vous l’y autorisez aussi, jusqu’à ce que vous le dissociiez sur la page {account}.',
  linkWarning:
    'Ne continuez que si une application que vous utilisez vient de vous montrer ce lien. Si quelqu’un vous l’a envoyé, choisissez « Annuler ».',
  cancel: 'Annuler',
  linkForOther: 'Ce lien est pour un autre compte',
  linkForOtherExplained:
    'Vous êtes connecté ici en tant que {person}, et le lien a été créé pour quelqu’un d’autre. Rien n’a été relié.',
  linkForOtherSent:
    'Si quelqu’un vous a envoyé le lien, fermez cette page. Cette personne veut peut-être que vos comptes servent au sien.',
  linkForOtherOwn:
    'Si une de vos applications vient de vous montrer le lien, connectez-vous ici avec le compte que vous utilisez dans cette application.',
  linkOver: 'Ce lien ne peut plus être utilisé : il a déjà servi ou a plus de dix minutes.',
  linkAgain: 'Revenez à votre application et réessayez. Elle affiche un nouveau lien.',
  // The end of it.
  connected: '{provider} est relié',
  connectedAs: 'Les outils peuvent maintenant utiliser le compte {name} pour vous.',
  connectedNow: 'Les outils peuvent maintenant utiliser votre compte pour vous.',
  connectedPart: '{provider} n’a pas autorisé tout ce qui était demandé. Un outil redemandera peut-être.',
  goOnInApp: 'Revenez à votre application et continuez là-bas. Vous pouvez fermer cette page.',
  notConnected: 'Rien n’a été relié',
  seeConnections: 'Voir vos comptes reliés',
  connectionDenied: 'Rien n’a été relié : {provider} a refusé, ou vous y avez annulé.',
  connectionFailed: 'Rien n’a été relié, car {provider} n’a pas répondu comme prévu.',
  connectionNotTheirs:
    'Rien n’a été relié : le compte choisi chez {provider} ne peut pas être relié au vôtre. Si vous vous connectez ici avec {provider}, choisissez-y ce compte.',
  // The account page.
  connectionsHeading: 'Comptes reliés',
  connectionsExplained:
    'Les outils utilisent ces comptes pour vous, dans les applications pour lesquelles vous les avez reliés ou autorisés. Aucune application n’en obtient de jeton. Si vous dissociez un compte, les outils le perdent en moins d’une minute.',
  noConnections:
    'Aucun compte n’est relié. Quand un outil en a besoin, votre application vous montre un lien pour le relier.',
  connectionName: 'Compte',
  connectionFor: 'Relié pour',
  connectionEnded:
    '{provider} n’accepte plus ce lien. Quand un outil en aura besoin, votre application vous montrera comment le rétablir.',
  disconnect: 'Dissocier {provider}',
  // The scope on the sign-in page.
  scopeOfUpstream: 'Utiliser votre compte chez {provider} avec des outils',
  upstreamAsks: '{provider} vous demandera aussi, après cette page.',
  // What tools may do at an upstream.
  upstreamUsual: 'Faire ce que {provider} indique sur sa propre page',
  upstreamProfile: 'Lire votre profil',
  upstreamEmail: 'Lire vos adresses e-mail',
  upstreamUser: 'Lire et modifier votre profil',
  upstreamOrganisations: 'Voir vos organisations et vos équipes',
  upstreamRepositories: 'Lire et modifier vos dépôts, y compris les privés',
  upstreamPublicRepositories: 'Lire et modifier vos dépôts publics',
  upstreamGists: 'Créer et modifier des gists',
  upstreamMailRead: 'Lire vos messages',
  upstreamMailSend: 'Envoyer des messages en votre nom',
  upstreamCalendarRead: 'Lire vos agendas',
  upstreamCalendar: 'Lire et modifier vos agendas',
  upstreamFilesRead: 'Lire vos fichiers',
  upstreamFiles: 'Lire et modifier vos fichiers',
  upstreamContacts: 'Lire vos contacts',
  upstreamOffline: 'Continuer en votre absence',
} as const;
