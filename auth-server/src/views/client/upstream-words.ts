/** Owns the words for what tools may do at an upstream: well-known scopes of GitHub, Google and Microsoft; any other by its name. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { fill, type Language } from '../../languages/language.ts';

const GOOGLE = 'https://www.googleapis.com/auth/';

const WORDS = {
  'read:user': 'upstreamProfile',
  'user:email': 'upstreamEmail',
  user: 'upstreamUser',
  'read:org': 'upstreamOrganisations',
  repo: 'upstreamRepositories',
  public_repo: 'upstreamPublicRepositories',
  gist: 'upstreamGists',
  profile: 'upstreamProfile',
  email: 'upstreamEmail',
  offline_access: 'upstreamOffline',
  [`${GOOGLE}gmail.readonly`]: 'upstreamMailRead',
  [`${GOOGLE}gmail.send`]: 'upstreamMailSend',
  [`${GOOGLE}calendar.readonly`]: 'upstreamCalendarRead',
  [`${GOOGLE}calendar`]: 'upstreamCalendar',
  [`${GOOGLE}drive.readonly`]: 'upstreamFilesRead',
  [`${GOOGLE}drive`]: 'upstreamFiles',
  [`${GOOGLE}contacts.readonly`]: 'upstreamContacts',
  'User.Read': 'upstreamProfile',
  'Mail.Read': 'upstreamMailRead',
  'Mail.Send': 'upstreamMailSend',
  'Calendars.Read': 'upstreamCalendarRead',
  'Calendars.ReadWrite': 'upstreamCalendar',
  'Files.Read': 'upstreamFilesRead',
  'Files.ReadWrite': 'upstreamFiles',
  'Contacts.Read': 'upstreamContacts',
} as const satisfies Readonly<Record<string, keyof Language['texts']>>;

/** They say nothing that a person decides about: who the account is, which the page shows anyway. */
const SILENT: ReadonlySet<string> = new Set(['openid']);

/** Another provider may mean more by a scope of the same name. */
const OF_GITHUB: ReadonlySet<string> = new Set([
  'read:user', 'user:email', 'user', 'read:org', 'repo', 'public_repo', 'gist',
]); // biome-ignore format: one list

const isKnown = (scope: string): scope is keyof typeof WORDS => Object.hasOwn(WORDS, scope);

/** The name of a scope of Microsoft Graph may be a URL. */
const GRAPH = 'https://graph.microsoft.com/';

function wordsFor(scope: string, language: Language, type = 'github'): Html {
  const name = scope.startsWith(GRAPH) ? scope.slice(GRAPH.length) : scope;
  return isKnown(name) && (type === 'github' || !OF_GITHUB.has(name))
    ? html`${language.texts[WORDS[name]]}`
    : fill(language, 'permission', { name: html`<code>${scope}</code>` });
}

interface Upstream {
  /** The name of the upstream. */
  readonly provider: string;
  /** The type of its connector. Absent: all words that there are. */
  readonly type?: string | undefined;
  readonly scopes: readonly string[];
}

/** One item for each thing that tools may do there. Without scopes, the upstream itself names it: GitHub Apps have none. */
export function upstreamItems({ provider, type, scopes }: Upstream, language: Language): readonly Html[] {
  const items = scopes.filter((scope) => !SILENT.has(scope)).map((scope) => wordsFor(scope, language, type));
  const texts = new Map(items.map((item) => [item.toString(), item]));
  if (texts.size === 0)
    return [html`<li>${fill(language, 'upstreamUsual', { provider: html`<bdi>${provider}</bdi>` })}</li>`];
  return [...texts.values()].map((item) => html`<li>${item}</li>`);
}
