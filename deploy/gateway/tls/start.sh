#!/bin/sh
# Starts the gateway with TLS. HAProxy does not start without a certificate, so this waits for the first one.
set -eu
said=
until [ -s "$CERTIFICATE" ]; do
  [ "$said" ] || echo "gateway: there is no certificate yet in $CERTIFICATE; the log of the service certificates says why"
  said=yes
  sleep 1
done
exec haproxy -W -db -f /usr/local/etc/haproxy/haproxy.cfg
