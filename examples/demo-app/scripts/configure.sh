#!/bin/sh
# Notes which deployment installed the application; its page shows it.
set -eu

printf '%s\n' "${DEPLOYMENT_ID:-unknown}" >/var/lib/demo-app/deployment
echo "installed version $(cat /opt/demo-app/VERSION) by ${DEPLOYMENT_ID:-unknown}"
