#!/bin/sh
# Starts the application in the background, in a session of its own and with all three streams redirected, so that
# nothing keeps the lifecycle event open.
set -eu

log=/var/lib/demo-app/demo-app.log
setsid /opt/demo-app/bin/demo-app </dev/null >>"$log" 2>&1 &

tries=0
until [ -s /var/lib/demo-app/demo-app.pid ]; do
  tries=$((tries + 1))
  if [ "$tries" -eq 50 ]; then
    echo "demo-app did not start within 5 s; its log ends:" >&2
    tail -n 5 "$log" >&2
    exit 1
  fi
  sleep 0.1
done
echo "started demo-app as $(id -un) (process $(cat /var/lib/demo-app/demo-app.pid))"
