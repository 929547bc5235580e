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

# The agent is one static program: what tells distributions apart is how they start services, which it finds out itself.
host=$(. /etc/os-release 2>/dev/null && echo "${PRETTY_NAME:-${ID:-}}") || host=
host=${host:-an unknown distribution}
[ "$(uname -s)" = Linux ] || fail "this agent is for Linux, and this host runs $(uname -s)"
[ "$(uname -m)" = "$machine" ] || fail "this agent is for $machine, and this host is $(uname -m) ($host)"

# Hardened hosts let nothing run from /tmp.
scratch=
trap '[ -z "$scratch" ] || rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
for base in "${TMPDIR:-/tmp}" /var/tmp /opt /root; do
    scratch=$(mktemp -d "$base/longshore-install.XXXXXX" 2>/dev/null) || continue
    printf '#!/bin/sh\n' > "$scratch/probe" && chmod 755 "$scratch/probe" && "$scratch/probe" 2>/dev/null && break
    rm -rf "$scratch"
    scratch=
done
[ -n "$scratch" ] || fail "no directory to unpack to: programs can be written and run neither in /tmp, /var/tmp, /opt nor /root"
cat > "$scratch/signer.pem" <<'END'
@SIGNER_PEM@
END
tail -c "+$agent_start" "$0" > "$scratch/longshore-agent"
chmod 755 "$scratch/longshore-agent"
"$scratch/longshore-agent" install --endpoint "$endpoint" --signer-certificate "$scratch/signer.pem" --start ||
    fail "longshore-agent could not be installed on $host; the lines above say why"
echo "longshore-agent runs on this host ($host) and takes its deployments from $endpoint"
exit 0
