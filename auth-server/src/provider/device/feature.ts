/**
 * Owns the device authorization grant (RFC 8628) as a feature of the engine, and which page a person sees at /device: the one to enter
 * a code, the one to compare it with the device, or the end. What a person approves in between is the sign-in page as usual.
 */
import { type Configuration, type ErrorOut, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { stateOf } from '../../context-state.ts';
import { inWords, type Language, type Said, said } from '../../languages/language.ts';
import type { ChooseLanguage } from '../../languages/languages.ts';
import { NOTHING_PERMITTED } from '../interactions/permitted.ts';
import { wordsForLostSession } from '../interactions/session-lost.ts';
import { USED_AT_ONCE } from './code-records.ts';
import { CHARSET, MASK, typed } from './user-code.ts';

interface Form {
  readonly language: Language;
  /** URL to which the form posts. */
  readonly action: string;
  /** Proves that the form comes from this page. */
  readonly token: string;
}

/** The pages at /device, and the headers that they are sent with. */
export interface DevicePages {
  readonly headers: Readonly<Record<string, string>>;
  deviceCode(view: Form & { readonly code: string; readonly isRefused: boolean }): string;
  deviceConfirm(view: Form & { readonly code: string }): string;
  deviceEnd(view: { readonly language: Language; readonly isGranted: boolean; readonly isPermitted?: boolean }): string;
  error(view: { language: Language; title: string; message: string; next: string; reference: string }): string;
}

export interface DevicePageOptions {
  readonly pages: DevicePages;
  readonly languageOf: ChooseLanguage;
}

type Feature = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** The errors of the engine for a code that cannot be used; they are not exported. */
const UNUSABLE: ReadonlySet<string> = new Set(['NoCodeError', 'NotFoundError', 'ExpiredError', 'AlreadyUsedError']);

/** Whatever the reason, the person does the same next. So a stranger who guesses learns nothing from it either. */
const isUnusable = (error: Error): boolean =>
  UNUSABLE.has(error.name) || (error as { error_description?: string }).error_description === USED_AT_ONCE;

const describes = (error: unknown, text: string): boolean =>
  error instanceof errors.OIDCProviderError && error.error_description === text;

export function deviceFlow({ pages, languageOf }: DevicePageOptions): Feature {
  const send = (ctx: KoaContextWithOIDC, markup: string): void => {
    ctx.set({ ...pages.headers });
    ctx.type = 'html';
    ctx.body = markup;
  };
  const formOf = (ctx: KoaContextWithOIDC): Form => ({
    language: languageOf(ctx),
    action: ctx.oidc.urlFor('code_verification'),
    token: String(ctx.oidc.session?.state?.secret ?? ''),
  });
  return {
    enabled: true,
    charset: CHARSET,
    mask: MASK,
    deviceInfo: () => ({}),
    userCodeInputSource: async (ctx, _form, out, error) => {
      const language = languageOf(ctx);
      if (error) forgetNewSession(ctx);
      if (error?.name === 'AbortedError') {
        const isPermitted = !describes(error.cause, NOTHING_PERMITTED.error_description);
        return send(ctx, pages.deviceEnd({ language, isGranted: false, isPermitted }));
      }
      if (error && !isUnusable(error)) {
        return send(ctx, pages.error({ language, ...(await wordsFor(ctx, language, error, out)) }));
      }
      if (error) tellRefused(ctx, error);
      const code = typed(error ? (error as { userCode?: unknown }).userCode : stateOf(ctx).userCode);
      send(ctx, pages.deviceCode({ ...formOf(ctx), code, isRefused: error !== undefined }));
    },
    userCodeConfirmSource: async (ctx, _form, _client, _info, code) =>
      send(ctx, pages.deviceConfirm({ ...formOf(ctx), code })),
    successSource: async (ctx) => send(ctx, pages.deviceEnd({ language: languageOf(ctx), isGranted: true })),
  };
}

/** Without the code: it is a secret until somebody has approved it. */
function tellRefused(ctx: KoaContextWithOIDC, { name, message: reason }: Error): void {
  const { log, audit } = stateOf(ctx);
  log.info({ reason }, 'user code refused');
  // The engine emits an event for every other error.
  if (UNUSABLE.has(name)) audit({ event: 'device.refused', outcome: 'refused', reason });
}

/** The engine puts the token of a form into the session after an error, and then fails if the browser brought no session. */
function forgetNewSession({ oidc }: KoaContextWithOIDC): void {
  if (oidc.session && oidc.session.exp === undefined) Object.assign(oidc.session, { touched: false });
}

/** A page that cannot go on. The device gets its own answer, where it has one. */
async function wordsFor(ctx: KoaContextWithOIDC, language: Language, error: Error, out: ErrorOut | undefined) {
  const uid = ctx.path.slice(ctx.path.lastIndexOf('/') + 1);
  const says = (title: Said, message: Said, next = said('startAgainOnDevice')) => ({
    title: inWords(language, title),
    message: inWords(language, message),
    next: inWords(language, next),
    reference: stateOf(ctx).requestId,
  });
  if (error instanceof errors.SessionNotFound) {
    return says(said('cantContinueTitle'), await wordsForLostSession(ctx.oidc.provider, error, uid));
  }
  if (out?.error === 'invalid_request') return says(said('didNotWorkTitle'), said('outOfDate'), said('enterAgain'));
  return says(said('wentWrongTitle'), said('deviceGotNothing'));
}
