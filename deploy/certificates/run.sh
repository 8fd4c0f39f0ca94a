#!/bin/sh
# Runs Caddy, which obtains and renews the certificate, and hands the newest one to the gateway: certificate and key in one file,
# which is replaced as a whole. Only the group of the gateway can read it.
set -eu
umask 027

HOST=${PUBLIC_URL#*://}
HOST=$(echo "${HOST%%[:/]*}" | tr A-Z a-z)
export HOST

caddy run --config /etc/caddy/Caddyfile --adapter caddyfile &
caddy=$!
pause=1
stopping=
trap 'stopping=yes; kill "$caddy"' TERM INT

while [ ! "$stopping" ] && kill -0 "$caddy" 2>/dev/null; do
  # Caddy has a folder for each certificate authority.
  newest=$(ls -t /data/caddy/certificates/*/"$HOST"/"$HOST".crt 2>/dev/null | head -n 1)
  if [ -n "$newest" ] && cat "$newest" "${newest%.crt}.key" >/certificate/new; then
    cmp -s /certificate/new /certificate/site.pem || mv /certificate/new /certificate/site.pem
    pause=5
  fi
  sleep "$pause" &
  wait $! || true
done
wait "$caddy"
