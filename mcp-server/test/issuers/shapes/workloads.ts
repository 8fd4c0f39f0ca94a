/** Owns the documented shape of the access tokens of issuers of programs. */
import { SCOPES, type Shapes } from './shape.ts';

export const workloads: Shapes = {
  'github-actions': {
    path: '',
    settings: () => ({
      TOKEN_REQUIRED_CLAIMS: 'repository_owner_id=65',
      TOKEN_SCOPE_MAP: 'octo-org/octo-repo=mcp:tools',
    }),
    header: { typ: 'JWT', x5t: 'x' },
    claims: (server) => ({
      jti: 'example-id', sub: 'repo:octo-org/octo-repo:environment:prod', environment: 'prod', aud: `${server}/mcp`, ref: 'refs/heads/main',
      sha: 'example-sha', repository: 'octo-org/octo-repo', repository_owner: 'octo-org', actor_id: '12', repository_visibility: 'private',
      repository_id: '74', repository_owner_id: '65', run_id: '1', run_number: '10', run_attempt: '2', runner_environment: 'github-hosted',
      actor: 'octocat', workflow: 'example-workflow', head_ref: '', base_ref: '', event_name: 'workflow_dispatch', ref_type: 'branch',
      job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main', nbf: 0,
    }), // biome-ignore format: as the vendor shows it
    principal: { subject: 'repo:octo-org/octo-repo:environment:prod', scopes: SCOPES },
    others: {
      'a repository made after July 15, 2026, with ids in its subject': {
        claims: { sub: 'repo:octo-org@65/octo-repo@74:ref:refs/heads/main' },
        principal: { subject: 'repo:octo-org@65/octo-repo@74:ref:refs/heads/main', scopes: SCOPES },
      },
    },
    refused: {
      'a repository of another owner': { claims: { repository_owner_id: '66' }, reason: 'wrong_claim' },
      'the default audience': { claims: { aud: 'https://github.com/octo-org' }, reason: 'wrong_audience' },
      'another repository of the owner': {
        claims: { repository: 'octo-org/other' },
        reason: 'insufficient_scope',
      },
      'a repository with the name of a scope': { claims: { repository: 'mcp:tools' }, reason: 'insufficient_scope' },
    },
  },
  kubernetes: {
    path: '',
    settings: () => ({ TOKEN_SCOPE_MAP: 'system:serviceaccount:ci:*=mcp:tools' }),
    header: {},
    claims: (server) => ({
      aud: [`${server}/mcp`], jti: 'e51f1fbc-4733-4b85-a59f-ba80c0523874', nbf: 0, sub: 'system:serviceaccount:ci:deployer',
      'kubernetes.io': {
        namespace: 'ci', node: { name: 'worker', uid: '3a' }, pod: { name: 'shell', uid: '0d8b260e' },
        serviceaccount: { name: 'deployer', uid: 'e6a8680e' }, warnafter: 1717674962,
      },
    }), // biome-ignore format: as the vendor shows it
    principal: { subject: 'system:serviceaccount:ci:deployer', scopes: SCOPES },
    refused: {
      'the token for the API server': {
        claims: { aud: ['https://kubernetes.default.svc.cluster.local'] },
        reason: 'wrong_audience',
      },
      'a pod of another namespace': {
        claims: { sub: 'system:serviceaccount:default:deployer' },
        reason: 'insufficient_scope',
      },
    },
  },
};
