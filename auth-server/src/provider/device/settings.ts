/** Owns the settings of the device authorization grant (RFC 8628): whether it is offered, and how much of it strangers may use. */
import { setting } from '@mcp-oauth/shared/settings/config';
import { integer, oneOf } from '@mcp-oauth/shared/settings/types';

export const deviceSettings = {
  deviceAuthorization: setting({
    env: 'DEVICE_AUTHORIZATION',
    doc: 'Whether programs on machines without a browser may sign people in by a code, which the person enters at /device of this server (RFC 8628). Off by default: nothing ties the browser of the person to the machine that gets the access, so whoever gets a person to enter a code that they were sent has the access of that person (RFC 8628 §5.4). The pages warn of it, and each sign-in has to be approved. Turn it on if people need it, such as on servers and in containers.',
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
