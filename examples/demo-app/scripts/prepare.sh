#!/bin/sh
# Makes what the application needs and what its files will belong to: a user, and a folder that it may write to.
set -eu

id demo-app >/dev/null 2>&1 ||
  useradd --system --user-group --no-create-home --home-dir /var/lib/demo-app --shell /bin/sh demo-app

# A deployment that failed half-way may have left its application running.
"$(dirname "$0")/stop.sh"

mkdir -p /var/lib/demo-app
chown demo-app:demo-app /var/lib/demo-app
echo "prepared $(uname -n) for version $(cat "$(dirname "$0")/../VERSION")"
