/** Owns how a URL is opened in the browser of this machine. */
import { spawn } from 'node:child_process';

const COMMANDS: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Does nothing where no browser can be opened: the person has the URL as well. */
export function openBrowser(url: URL, platform: NodeJS.Platform): void {
  // The URL is from a foreign server, and no shell reads it.
  if (!/^https?:$/.test(url.protocol)) return;
  const [program, ...args] = COMMANDS[platform] ?? ['xdg-open'];
  const child = spawn(program, [...args, url.href], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
