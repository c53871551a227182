#!/bin/bash
# usage: envoy.sh DRAIN_SECONDS ENVOY [ARGUMENT...]
# Runs Envoy and, at SIGTERM, does what Istio's agent does: not ready any more, clients told to leave (GOAWAY, connection: close),
# exit when no connection was left for a second or after DRAIN_SECONDS, because Envoy alone would drop its connections at once.
# Bash and its /dev/tcp instead of a Node program: one of these runs beside every Envoy.
drain=$1
shift

admin() { # admin METHOD PATH: the answer of Envoy's admin port
  exec 3<>/dev/tcp/127.0.0.1/15000 || return
  printf '%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' "$1" "$2" >&3
  cat <&3
  exec 3>&-
}

connections() { # of all listeners but the admin port; unknown as long as the admin port does not say
  admin GET '/stats?filter=^listener%5C..*downstream_cx_active$' 2>/dev/null |
    awk -F': ' '/^listener\.admin\./ { said = 1; next } /^listener\./ { sum += $2 } END { print said ? sum + 0 : "unknown" }'
}

stop() {
  trap '' TERM
  admin POST /healthcheck/fail >/dev/null 2>&1
  admin POST '/drain_listeners?graceful' >/dev/null 2>&1
  local end=$((SECONDS + drain))
  sleep 1 # whoever sends here learns of the removal within this time
  # Not at the first moment without a connection: clients that were told to leave may be on their way back.
  local quiet=0
  while [ $quiet -lt 5 ] && [ $SECONDS -lt $end ] && kill -0 "$envoy" 2>/dev/null; do
    if [ "$(connections)" = 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi
    sleep 0.2
  done
  kill -TERM "$envoy" 2>/dev/null
  wait "$envoy"
  exit 0
}

# A session of its own: a SIGTERM for the whole process group must not end Envoy before stop() has drained it. It must not outlive this shell either.
setsid setpriv --pdeathsig KILL "$@" &
envoy=$!
trap stop TERM INT
wait "$envoy"
