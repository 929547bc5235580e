#!/bin/sh
# Installs longshore-agent on this host. The agent itself is appended to this script.
set -eu

endpoint='@ENDPOINT@'
machine='@MACHINE@'
agent_start=@AGENT_START@

usage() {
    cat <<'END'
Usage: ./install [--endpoint URL] auto
       ./install uninstall

Installs longshore-agent, and starts it. Must be run as root.

  auto             install whatever the host's distribution; deb, rpm and zypper mean the same
  uninstall        stop the agent and remove it
  --endpoint URL   the server's address, where it is not the one this script was fetched from
  --help           show this

Example:
  aws s3 cp s3://aws-codedeploy-us-east-1/latest/install . && chmod +x ./install && sudo ./install auto
END
}

fail() {
    echo "install: $1" >&2
    exit 1
}

action=
while [ $# -gt 0 ]; do
    case "$1" in
        auto | deb | rpm | zypper) action=install ;;
        uninstall) action=uninstall ;;
        --endpoint)
            [ $# -ge 2 ] || fail "--endpoint needs a URL"
            endpoint=$2
            shift
            ;;
        # Options of the original installer that mean nothing here.
        --sanity-check | --disable-imds-v1) ;;
        -h | --help | help)
            usage
            exit 0
            ;;
        *)
            usage >&2
            fail "unknown argument: $1"
            ;;
    esac
    shift
done
if [ -z "$action" ]; then
    usage >&2
    exit 2
fi
[ "$(id -u)" = 0 ] || fail "must be run as root"

if [ "$action" = uninstall ]; then
    [ -x /opt/codedeploy-agent/bin/longshore-agent ] || fail "longshore-agent is not installed"
    exec /opt/codedeploy-agent/bin/longshore-agent uninstall
fi

[ "$(uname -m)" = "$machine" ] || fail "this agent is for $machine, and this host is $(uname -m)"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
cat > "$scratch/signer.pem" <<'END'
@SIGNER_PEM@
END
tail -c "+$agent_start" "$0" > "$scratch/longshore-agent"
chmod 755 "$scratch/longshore-agent"
"$scratch/longshore-agent" install --endpoint "$endpoint" --signer-certificate "$scratch/signer.pem" --start
exit 0
