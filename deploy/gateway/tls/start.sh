#!/bin/sh
# Starts the gateway with TLS. HAProxy does not start without a certificate, so this waits for the first one.
set -eu
said=
until [ -s "$CERTIFICATE" ] && [ -r "$CERTIFICATE" ]; do
  [ "$said" ] || echo "gateway: there is no certificate yet in $CERTIFICATE, or the user 99 can't read it;" \
    "the log of the service certificates says why. One of your own is a file there, and no link out of its folder."
  said=yes
  sleep 1
done
exec haproxy -W -db -f /usr/local/etc/haproxy/haproxy.cfg
