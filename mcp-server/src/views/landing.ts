/** Owns the landing page: what this server is, how to connect, what its tools require, and how the sign-in works. */
import {
  AUTHORIZATION_SERVER_PATH,
  insertedUrl,
  MCP_PATH,
  PROTECTED_RESOURCE_PATH,
  SSE_PATH,
} from '@mcp-oauth/shared/contract';
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { page } from '@mcp-oauth/shared/pages/page';
import type { ToolSummary } from '../protocol/endpoints.ts';
import { type Guide, guides } from './clients.ts';

export interface Landing {
  readonly publicUrl: string;
  readonly serverName: string;
  /** The authorization servers that clients may use. */
  readonly issuers: readonly string[];
  readonly tools: () => readonly ToolSummary[];
  /** Required by every tool. */
  readonly baseScopes: readonly string[];
}

export function landingPage(landing: Landing): string {
  const { serverName } = landing;
  const tools = landing.tools();
  return page({
    title: serverName,
    wide: true,
    body: html`
${welcome(landing, tools)}
${connect(landing)}
${toolTable(landing, tools)}
${signingIn()}
${endpointTable(landing)}
${protections()}
<footer>${serverName} · OAuth 2.1 and the Model Context Protocol</footer>`,
  });
}

const welcome = ({ serverName, publicUrl }: Landing, tools: readonly ToolSummary[]): Html => html`<header>
<h1>${serverName}</h1>
<p class="lead soft">A <a href="https://modelcontextprotocol.io">Model Context Protocol</a> server with ${tools.length} ${tools.length === 1 ? 'tool' : 'tools'}.
Give this address to your client; it opens your browser to sign you in.</p>
<pre class="address" tabindex="0"><code>${publicUrl}${MCP_PATH}</code></pre>
</header>`;

const connect = ({ serverName, publicUrl }: Landing): Html => html`<section class="card">
<h2>Connect a client</h2>
${guides(serverName, `${publicUrl}${MCP_PATH}`).map(guide)}
</section>`;

const guide = (
  { client, step, snippet, install }: Guide,
  index: number,
): Html => html`<details name="client"${index === 0 && openAttribute}>
<summary>${client}</summary>
<p>${step}</p>
<pre tabindex="0"><code>${snippet}</code></pre>
${install && html`<p>Or in one click: <a href="${install.url}">${install.label}</a></p>`}
</details>`;

const openAttribute = html` open`;

const toolTable = ({ baseScopes }: Landing, tools: readonly ToolSummary[]): Html => html`<section class="card">
<h2>Tools</h2>
${baseScopes.map((scope) => html`<p class="soft">Every tool needs the scope <code>${scope}</code>. A tool with a tag needs that one too, and your client asks you for it when you first use the tool.</p>`)}
<ul class="entries split">
${tools.map(toolEntry)}
</ul>
</section>`;

const toolEntry = ({ name, title, description, scopes }: ToolSummary): Html => html`<li>
<p><code>${name}</code></p>
<p><strong>${title}</strong> ${scopes.map((scope) => html`<span class="tag extra">${scope}</span> `)}<br><span class="soft">${description}</span></p>
</li>`;

const signingIn = (): Html => html`<section class="card">
<h2>How signing in goes</h2>
<ol>
<li>Your client calls the server without a token and is told where to find the authorization server.</li>
<li>It reads the authorization server's metadata and, if it is new there, introduces or registers itself.</li>
<li>It opens your browser, with a PKCE challenge that only it can answer.</li>
<li>A page says which client asks for what. You choose your identity provider and sign in there; your password is never seen here.</li>
<li>Your client gets a short-lived access token for this server alone, and may be given a refresh token to renew it.</li>
<li>Every request carries that token, and the server checks it by itself, without asking anyone.</li>
</ol>
</section>`;

const endpointTable = ({ publicUrl, issuers }: Landing): Html => html`<section class="card">
<h2>Endpoints</h2>
<ul class="entries">
${endpoint(`${publicUrl}${MCP_PATH}`, 'Streamable HTTP of every revision, 2025-03-26 to 2026-07-28. Needs an access token.')}
${endpoint(`${publicUrl}${SSE_PATH}`, 'HTTP+SSE of 2024-11-05, for older clients; Streamable HTTP works here too. Needs an access token.')}
${endpoint(insertedUrl(PROTECTED_RESOURCE_PATH, publicUrl + MCP_PATH), 'What protects this server and which scopes it knows (RFC 9728).', true)}
${endpoint(insertedUrl(AUTHORIZATION_SERVER_PATH, publicUrl), 'Metadata of the authorization server, for clients that look here first (RFC 8414).', true)}
${issuers.map((issuer) => endpoint(issuer, 'An authorization server that issues tokens: authorization, token, registration and keys.'))}
</ul>
</section>`;

const endpoint = (url: string, what: string, isDocument = false): Html => html`<li>
<p>${isDocument ? html`<a href="${url}"><code>${url}</code></a>` : html`<code>${url}</code>`}</p>
<p class="soft">${what}</p>
</li>`;

const protections = (): Html => html`<section class="card">
<h2>What protects you</h2>
<ul class="ticks">
<li>OAuth 2.1: your client proves with PKCE that the sign-in was its own, and your password stays with your identity provider.</li>
<li>Every request needs a short-lived access token, checked here by signature, issuer, audience and age.</li>
<li>Tokens are bound to this server (RFC 8707): one that was meant for another server is refused here, and ours are refused elsewhere.</li>
<li>A tool that may do more than others needs a scope of its own, and you are asked before it gets it.</li>
<li>Web pages of foreign origins can't call this server, and a session belongs to the person and client that opened it.</li>
</ul>
</section>`;
