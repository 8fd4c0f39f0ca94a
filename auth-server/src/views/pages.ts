/** Owns the pages of this server with the operator's brand, and the headers that they are sent with. */
import { pageHeaders } from '@mcp-oauth/shared/http/security-headers';
import type { Brand } from '../branding/brand.ts';
import { type AccountView, accountPage } from './account/account.ts';
import { type PageSignInView, pageSignInPage } from './account/sign-in.ts';
import { type ConnectedView, connectedPage } from './connect/connected.ts';
import { type LinkView, linkPage } from './connect/link.ts';
import { type LinkOfOtherView, linkOfOtherPage } from './connect/other-person.ts';
import {
  type DeviceCodeView,
  type DeviceConfirmView,
  type DeviceEndView,
  deviceCodePage,
  deviceConfirmPage,
  deviceEndPage,
} from './device.ts';
import { type ErrorView, errorPage } from './error.ts';
import { type FinishedView, finishedPage } from './finished.ts';
import { type OrganisationView, organisationPage } from './organisation.ts';
import { type RefusalView, refusalPage } from './refusal.ts';
import { type SignInView, signInPage } from './sign-in.ts';
import { type SignOutView, signOutPage } from './sign-out.ts';

export interface Pages {
  readonly headers: Readonly<Record<string, string>>;
  signIn(view: Branded<SignInView>): string;
  refusal(view: Branded<RefusalView>): string;
  error(view: Branded<ErrorView>): string;
  finished(view: Branded<FinishedView>): string;
  organisation(view: Branded<OrganisationView>): string;
  signOut(view: Branded<SignOutView>): string;
  deviceCode(view: Branded<DeviceCodeView>): string;
  deviceConfirm(view: Branded<DeviceConfirmView>): string;
  deviceEnd(view: Branded<DeviceEndView>): string;
  pageSignIn(view: Branded<PageSignInView>): string;
  account(view: Branded<AccountView>): string;
  link(view: Branded<LinkView>): string;
  linkOfOther(view: Branded<LinkOfOtherView>): string;
  connected(view: Branded<ConnectedView>): string;
}

type Branded<View> = Omit<View, 'brand'>;

export const createPages = (brand: Brand): Pages => ({
  headers: pageHeaders(brand.stylesheet),
  signIn: (view) => signInPage({ ...view, brand }),
  refusal: (view) => refusalPage({ ...view, brand }),
  error: (view) => errorPage({ ...view, brand }),
  finished: (view) => finishedPage({ ...view, brand }),
  organisation: (view) => organisationPage({ ...view, brand }),
  signOut: (view) => signOutPage({ ...view, brand }),
  deviceCode: (view) => deviceCodePage({ ...view, brand }),
  deviceConfirm: (view) => deviceConfirmPage({ ...view, brand }),
  deviceEnd: (view) => deviceEndPage({ ...view, brand }),
  pageSignIn: (view) => pageSignInPage({ ...view, brand }),
  account: (view) => accountPage({ ...view, brand }),
  link: (view) => linkPage({ ...view, brand }),
  linkOfOther: (view) => linkOfOtherPage({ ...view, brand }),
  connected: (view) => connectedPage({ ...view, brand }),
});
