/** Owns the participants in the bench: the same public client, machine client and resource for every server. */
export const RESOURCE = 'http://localhost:8080/mcp';
export const REDIRECT_URI = 'https://app.example/callback';
export const VERIFIER = 'a-code-verifier-that-is-long-enough-for-rfc-7636-4.1';
export const CLIENT_ID = 'bench';
export const MACHINE_ID = 'machine';
export const MACHINE_SECRET = 'a-secret-that-only-the-bench-knows-0123456789';
