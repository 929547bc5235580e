#!/bin/sh
# Ends the running application, if one runs: a first deployment finds none, and that is no error.
set -eu

pid_file=/var/lib/demo-app/demo-app.pid
[ -f "$pid_file" ] || { echo "demo-app is not running"; exit 0; }
pid=$(cat "$pid_file")

# The number may belong to somebody else by now, so look at what runs under it.
runs() { tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q /opt/demo-app/bin/demo-app; }

if runs; then
  kill "$pid"
  tries=0
  while runs; do
    tries=$((tries + 1))
    if [ "$tries" -eq 50 ]; then
      echo "demo-app (process $pid) did not end within 5 s; killing it" >&2
      kill -KILL "$pid" || true
    fi
    sleep 0.1
  done
  echo "stopped demo-app (process $pid)"
else
  echo "demo-app is not running"
fi
rm -f "$pid_file"
