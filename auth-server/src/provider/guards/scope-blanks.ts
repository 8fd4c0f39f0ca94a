/**
 * Ensures that extra blanks in a scope do no harm (RFC 6749 §3.3 allows exactly one between two names): Claude.ai is known to send
 * one in front (anthropics/claude-ai-mcp#453), which the engine would refuse as an invalid scope.
 */
import type { Middleware } from 'koa';
import { namesOf } from '../../resources/scope.ts';

export const trimScope: Middleware = (ctx, next) => {
  const { scope } = ctx.query;
  if (ctx.path !== '/authorize' || typeof scope !== 'string') return next();
  const trimmed = namesOf(scope).join(' ');
  if (trimmed !== scope) ctx.query = { ...ctx.query, scope: trimmed };
  return next();
};
