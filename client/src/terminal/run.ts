/** Owns what one run of a command is given: by the command line, by the process, and for this run alone. */
import type { Output } from '@mcp-oauth/shared/service';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import type { EnterpriseDependencies, EnterpriseWish } from '../enterprise/authorize.ts';
import type { SignInDependencies } from '../sign-in/authorize.ts';
import type { SecretPlace } from '../sign-in/client/secret.ts';
import type { TokenFile } from '../tokens/token-file.ts';
import type { Screen } from './screen.ts';

export interface Task {
  readonly verb: 'list' | 'call' | 'read' | 'prompt' | 'watch' | 'login' | 'logout';
  readonly url: URL;
  /** The tool, resource or prompt. */
  readonly subject: string;
  readonly words: readonly string[];
  readonly json: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  readonly revision: string | undefined;
  readonly folder: string | undefined;
  readonly login: {
    readonly device: boolean;
    /** Absent: as it was at the last sign-in. */
    readonly machine: boolean | undefined;
    readonly browser: boolean;
    readonly scope: string | undefined;
    readonly clientId: string | undefined;
    readonly issuer: string | undefined;
    /** Where the secret or key of the client is read. */
    readonly secret: SecretPlace | undefined;
    readonly port: number | undefined;
    /** Absent: as it was at the last sign-in. */
    readonly enterprise: EnterpriseWish | undefined;
  };
  readonly env: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
}

/** What a run is given by the process. */
export interface PerformDependencies {
  readonly signIn: (env: Environment) => SignInDependencies;
  readonly home: string;
  readonly version: string;
  readonly unique: () => string;
  /** Whether standard error is a terminal. */
  readonly isTerminal: boolean;
  /** Characters in a line of that terminal; 0 without one. */
  readonly columns: number;
  /** Whether somebody can type. */
  readonly isPresent: boolean;
  /** @returns the next line of standard input; undefined at its end */
  readonly readLine: () => Promise<string | undefined>;
  /** @throws if the file can't be read. `-` is standard input. */
  readonly readFile: (path: string) => Promise<string>;
  readonly interrupted: (env: Environment) => Promise<void>;
}

export type Run = Task &
  PerformDependencies & { readonly screen: Screen; readonly file: TokenFile; readonly access: EnterpriseDependencies };
