/**
 * Owns the pages at /device (RFC 8628 §3.3): a person enters the code of a device, compares it with the device, and at the end is sent
 * back to it. The second page warns of a code that was sent by somebody else (§5.4), and does not name the client: a stranger chose
 * that name as well.
 */
import { html } from '@mcp-oauth/shared/pages/html';
import { framed, type Look } from './frame.ts';

interface Form extends Look {
  /** URL to which the form posts. */
  readonly action: string;
  /** Proves that the form comes from this page. */
  readonly token: string;
}

export interface DeviceCodeView extends Form {
  /** The text in the field: from a link, or as it was entered. */
  readonly code: string;
  /** Whether the code that was entered cannot be used. */
  readonly isRefused: boolean;
}

export function deviceCodePage({ language, brand, action, token, code, isRefused }: DeviceCodeView): string {
  const { texts } = language;
  return framed(
    { language, brand },
    {
      title: texts.connectDevice,
      body: html`<div class="card">
<h1>${texts.connectDevice}</h1>
${isRefused && html`<p class="notice" role="alert">${texts.codeRefused}</p>`}
<p>${texts.enterCode}</p>
<form method="post" action="${action}">
<input type="hidden" name="xsrf" value="${token}">
<label class="field"><span>${texts.deviceCode}</span><input class="code" type="text" name="user_code" value="${code}" dir="ltr" maxlength="20" autocomplete="off" autocapitalize="characters" spellcheck="false" required></label>
<button>${texts.continue}</button>
</form>
</div>`,
    },
  );
}

export interface DeviceConfirmView extends Form {
  readonly code: string;
}

export function deviceConfirmPage({ language, brand, action, token, code }: DeviceConfirmView): string {
  const { texts } = language;
  return framed(
    { language, brand },
    {
      title: texts.sameCode,
      body: html`<div class="card">
<h1>${texts.sameCode}</h1>
<p class="code"><code dir="ltr">${code}</code></p>
<p>${texts.deviceAsks}</p>
<p class="notice">${texts.deviceWarning}</p>
<form class="late" method="post" action="${action}">
<input type="hidden" name="xsrf" value="${token}">
<input type="hidden" name="user_code" value="${code}">
<button name="confirm" value="yes">${texts.isMyDevice}</button>
<button class="quiet" name="abort" value="yes">${texts.deny}</button>
</form>
</div>`,
    },
  );
}

export interface DeviceEndView extends Look {
  /** Whether the device gets access. */
  readonly isGranted: boolean;
  /** Whether the account may have something of what the device asks for. */
  readonly isPermitted?: boolean;
}

export function deviceEndPage({ language, brand, isGranted, isPermitted = true }: DeviceEndView): string {
  const { texts } = language;
  const title = isGranted ? texts.deviceGranted : texts.notGranted;
  return framed(
    { language, brand },
    {
      title,
      body: html`<div class="card">
<h1>${title}</h1>
${!isPermitted && html`<p>${texts.nothingPermitted}</p>`}
<p>${isGranted ? texts.returnToDevice : texts.deviceNotGranted}</p>
</div>`,
    },
  );
}
