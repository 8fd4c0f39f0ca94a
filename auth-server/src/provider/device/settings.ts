/** Owns the settings of the device authorization grant (RFC 8628): whether it is offered, and how much of it strangers may use. */
import { setting } from '@mcp-oauth/shared/settings/config';
import { integer, oneOf } from '@mcp-oauth/shared/settings/types';

export const deviceSettings = {
  deviceAuthorization: setting({
    env: 'DEVICE_AUTHORIZATION',
    doc: 'Device authorization grant (RFC 8628): a program without a browser shows a code, and the person enters it at /device on another device. Off by default because of phishing (RFC 8628 §5.4): an attacker can send a code of their own, and gets the access of anybody who enters and approves it. The pages warn of this, and every sign-in has to be approved. Turn it on if people need it, for example on servers or in containers.',
    type: oneOf('on', 'off'),
    default: 'off',
  }),
  deviceAuthorizationLimit: setting({
    env: 'DEVICE_AUTHORIZATION_LIMIT',
    doc: 'Maximum number of device codes in ten minutes from one address, which is how long a code lasts, and of requests to the page at /device. Ten times as many device codes may be open for one client, and ten times as many codes may be entered on all pages together, so that nobody can guess one.',
    type: integer(1, 1_000_000),
    default: '100',
  }),
};
