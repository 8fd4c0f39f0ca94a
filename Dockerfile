# One image for each service: docker build --build-arg SERVICE=mcp-server --build-arg PORT=8080 .
# Node runs the sources directly, so nothing is compiled and a second stage would not make the image smaller.
# A release names its base by digest: --build-arg BASE=node@sha256:… (`npm run base-images` checks its version and prints it).
ARG BASE=node:24-slim
FROM $BASE
ARG BASE SERVICE
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data

# Layers that rarely change come first: the dependencies of this service and of the doctor only, without those for development.
COPY package.json package-lock.json ./
COPY shared/package.json shared/
COPY auth-server/package.json auth-server/
COPY mcp-server/package.json mcp-server/
COPY development-idp/package.json development-idp/
COPY client/package.json client/
RUN --mount=type=cache,target=/root/.npm \
  npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspace @mcp-oauth/$SERVICE --workspace @mcp-oauth/shared \
  --workspace @mcp-oauth/client

# For a service with state in a file: a volume at this path belongs to the user of the service.
RUN install -d -o node -g node /data

COPY shared/src shared/src
COPY client/src client/src
COPY $SERVICE/src $SERVICE/src

# What Node.js compiles once is kept, and a start takes half the time. Read only: a service can't change what the next start runs.
ENV NODE_COMPILE_CACHE=/app/compiled
WORKDIR /app/$SERVICE
RUN install -d -o node -g node /app/compiled \
  && NODE_ENV=development DATA_DIR=/tmp setpriv --reuid=node --regid=node --clear-groups node ../shared/src/start/precompile.ts >/dev/null \
  && chown -R root:root /app/compiled && chmod -R a+rX /app/compiled

ARG PORT
ENV PORT=$PORT
EXPOSE $PORT
USER node
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --start-interval=1s --retries=2 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]

ARG VERSION=0.2.0 REVISION
LABEL org.opencontainers.image.title="mcp-oauth-$SERVICE" \
  org.opencontainers.image.description="MCP OAuth Server: $SERVICE" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="docker.io/library/$BASE"
