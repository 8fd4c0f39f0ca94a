/**
 * Owns which URI schemes cannot belong to an app (RFC 8252 §7.1). A redirect to them starts a part of the system, a script, a
 * payment or a call, or sends the answer over the network without encryption.
 */

const SCHEMES: ReadonlySet<string> = new Set([
  // Scripts, documents and pages inside browsers.
  'about', 'applescript', 'blob', 'chrome', 'cid', 'data', 'edge', 'feed', 'filesystem', 'googlechrome', 'googlechromes', 'hcp', 'help',
  'its', 'jar', 'javascript', 'livescript', 'mhtml', 'microsoft-edge', 'mid', 'mk', 'mocha', 'moz', 'opera', 'read', 'res', 'resource',
  'vbscript', 'view-source', 'wyciwyg',
  // Settings, stores, installers and shells of operating systems.
  'android-app', 'app-prefs', 'app-settings', 'appinstaller', 'apt', 'content', 'file', 'intent', 'market', 'package', 'prefs',
  'search', 'search-ms', 'shell', 'shortcuts', 'snap', 'steam',
  // Protocols of the network.
  'acap', 'afp', 'cifs', 'coap', 'coaps', 'dav', 'davs', 'dict', 'dns', 'ed2k', 'finger', 'ftp', 'ftps', 'git', 'gopher', 'imap', 'imaps',
  'irc', 'irc6', 'ircs', 'ldap', 'ldaps', 'magnet', 'mms', 'mqtt', 'mqtts', 'news', 'nfs', 'nntp', 'nntps', 'pop', 'pop3', 'rdp', 'redis',
  'rlogin', 'rsync', 'rtmp', 'rtsp', 'rtsps', 'scp', 'sftp', 'smb', 'smtp', 'snews', 'ssh', 'stun', 'svn', 'telnet', 'tftp', 'tn3270',
  'turn', 'vnc', 'wais', 'webcal', 'webcals', 'ws', 'wss', 'xmpp',
  // Calls, messages, places and payments.
  'bitcoin', 'callto', 'ethereum', 'facetime', 'facetime-audio', 'facetime-prompt', 'geo', 'im', 'imessage', 'lightning', 'mailto', 'maps',
  'message', 'payto', 'pres', 'sip', 'sips', 'skype', 'sms', 'smsto', 'tel', 'telprompt', 'upi', 'wtai',
  // Names rather than places (RFC 8141, RFC 4151).
  'acct', 'did', 'doi', 'info', 'ni', 'nih', 'oid', 'tag', 'urn',
]); // biome-ignore format: one list

/**
 * Families of schemes: Windows and Office (`ms-…`), Apple’s stores and settings, browser extensions, and websites that registered a
 * scheme in a browser (`web+…`, `ext+…`). A single letter is a drive.
 */
const FAMILIES = /^(?:[a-z]$|ms-|itms|x-apple|x-man-page$|chrome-|moz-|web\+|ext\+|git\+|svn\+)|-extension$/;

/** @param scheme in lower case, without the colon */
export const isForeignScheme = (scheme: string): boolean => SCHEMES.has(scheme) || FAMILIES.test(scheme);
