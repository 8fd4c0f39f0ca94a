/** Owns sign-in with any OpenID provider that can be discovered (OpenID Connect Discovery 1.0 §4). */
import { defineConnector } from '../federation/connector.ts';
import { openOidc } from './oidc/open.ts';
import { rules, settings, TOOLS } from './oidc/settings.ts';

export default defineConnector({
  type: 'oidc',
  title: 'OpenID',
  tools: TOOLS,
  settings,
  rules,
  open: (values, context) => openOidc(values, context),
});
